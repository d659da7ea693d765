#include <algorithm>
#include <cmath>
#include <isovec/error.hpp>
#include <isovec/fit.hpp>
#include <utility>

#include "core/fit_parts.hpp"
#include "core/gram.hpp"
#include "core/moment_sums.hpp"

namespace isovec {
namespace {

StatisticsOptions first_moments(StatisticsOptions options) {
  options.moments = Moments::first;
  return options;
}

}  // namespace

RowFitter::RowFitter(Spec spec)
    : spec_(std::move(spec)),
      statistics_(required_statistics(spec_)),
      profile_(first_moments(required_statistics(spec_))) {}

// Rows are kept while there are at most half as many as dimensions: they then take no more memory than an
// eighth of the sums would, and their products with one another an eighth of the time.
void RowFitter::begin(std::size_t dimensions) {
  started_ = true;
  const std::size_t columns = spec_.slice != 0 ? std::min(spec_.slice, dimensions) : dimensions;
  keeps_rows_ = core::gram_suffices(spec_) && columns <= kMaxSecondMomentDimensions && columns >= 4;
  most_kept_ = columns / 2;
}

void RowFitter::add(std::span<const float> row, double weight, double rounding,
                    const Checkpoint& checkpoint) {
  if (!started_) begin(row.size());
  if (!keeps_rows_) {
    statistics_.add(row, weight, rounding, checkpoint);
    return;
  }
  const std::uint64_t before_row = profile_.sums().positive_rows;
  profile_.add(row, weight, rounding);
  if (profile_.sums().positive_rows == before_row) return;
  if (kept_weights_.size() == most_kept_) {
    sum_kept_rows(1, checkpoint);
    statistics_.add(row, weight, rounding, checkpoint);
    return;
  }
  kept_rows_.insert(kept_rows_.end(), row.begin(), row.end());
  kept_weights_.push_back(weight);
}

// Sums the kept rows after all. Rows of weight 0 and zero rows were only counted; `pending` rows were counted
// but are still to come.
void RowFitter::sum_kept_rows(std::uint64_t pending, const Checkpoint& checkpoint) {
  const Sums& seen = profile_.sums();
  const std::size_t dimensions = seen.dimensions;
  for (std::size_t r = 0; r < kept_weights_.size(); ++r) {
    statistics_.add({kept_rows_.data() + r * dimensions, dimensions}, kept_weights_[r], seen.rounding,
                    checkpoint);
  }
  statistics_.settle(checkpoint);
  Sums summed = statistics_.sums();
  summed.rows = seen.rows - pending;
  summed.zero_rows = seen.zero_rows;
  statistics_ = Statistics(std::move(summed));
  keeps_rows_ = false;
  Buffer<float>().swap(kept_rows_);
  Buffer<double>().swap(kept_weights_);
}

std::uint64_t RowFitter::rows() const noexcept {
  return keeps_rows_ ? profile_.rows() : statistics_.rows();
}

Transform RowFitter::finish(const Checkpoint& checkpoint) {
  if (!keeps_rows_) return Fitter(std::move(statistics_)).fit(spec_, checkpoint);
  const core::FitInput input = core::make_input(spec_, profile_, checkpoint);
  const core::Directions directions =
      core::gram_directions(kept_rows_, kept_weights_, input.input_dimensions, profile_.options(),
                            input.variances, profile_.degrees_of_freedom(), spec_, checkpoint);
  if (spec_.k > directions.rank) {  // directions without variance are asked for: only the covariance has them
    sum_kept_rows(0, checkpoint);
    return Fitter(std::move(statistics_)).fit(spec_, checkpoint);
  }
  switch (spec_.method) {
    case Method::remove_top:
      return Transform(core::fit_remove_top(input, directions));
    case Method::pca:
      return Transform(core::fit_pca(input, directions));
    default:
      return Transform(core::fit_whiten(input, directions, {}));
  }
}

}  // namespace isovec
