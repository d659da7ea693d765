#include "core/transform_parts.hpp"

#include <algorithm>
#include <cmath>
#include <isovec/error.hpp>
#include <limits>

#include "core/key_values.hpp"

namespace isovec::core {
namespace {

void require(bool holds, const char* what) {
  if (!holds) throw Error(Code::invalid_argument, std::string("a transform is inconsistent: ") + what);
}

// Within float32's range no float64 sum of a transform can overflow.
void check_range(const Buffer<double>& numbers, const char* what) {
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (std::abs(numbers[i]) <= static_cast<double>(std::numeric_limits<float>::max())) continue;
    const std::string where = "element " + std::to_string(i) + " of the " + what;
    if (!std::isfinite(numbers[i])) throw Error(Code::invalid_argument, where + " is NaN or infinite");
    throw Error(Code::invalid_argument, where + " is " + shortest(numbers[i]) +
                                            ", beyond float32: scale the vectors to another unit");
  }
}

// The products stay far from overflow: dimensions are checked first.
bool has_its_matrix(const TransformParts& parts) {
  const std::size_t size = parts.linear.size(), columns = parts.columns;
  switch (parts.kind) {
    case Linear::identity:
      return size == 0;
    case Linear::diagonal:
      return size == columns;
    case Linear::projection:
      return size % columns == 0 && size / columns >= 1 && size / columns <= columns;
    case Linear::dense:
      return size == parts.output_dimensions * columns;
    case Linear::symmetric:
      return size == columns * columns;
  }
  return false;
}

void check_sizes(const TransformParts& parts) {
  require(parts.input_dimensions >= 1 && parts.input_dimensions <= kMaxDimensions, "its dimensions");
  require(parts.columns >= 1 && parts.columns <= parts.input_dimensions, "its columns");
  require(parts.output_dimensions >= 1 && parts.output_dimensions <= kMaxDimensions, "its outputs");
  require(parts.kind == Linear::dense || parts.output_dimensions == parts.columns,
          "outputs and columns differ");
  require(has_its_matrix(parts), "the size of its matrix");
  const auto is_of_columns = [&](const Buffer<double>& numbers) {
    return numbers.empty() || numbers.size() == parts.columns;
  };
  require(is_of_columns(parts.mean), "the length of its mean");
  require(is_of_columns(parts.eigenvalues), "its eigenvalues");
  require(is_of_columns(parts.standardizer), "its standardizer");
}

// What says that it can be inverted is a square W of all coordinates that maps none to 0.
void check_inverse(const TransformParts& parts) {
  if (!parts.not_invertible.empty()) return;
  const bool square = parts.output_dimensions == parts.columns && parts.columns == parts.input_dimensions;
  const bool has_zero = parts.kind == Linear::diagonal &&
                        std::find(parts.linear.begin(), parts.linear.end(), 0.0) != parts.linear.end();
  require(square && parts.normalize == Normalize::none && parts.kind != Linear::projection && !has_zero &&
              parts.summary.dropped == 0,
          "it claims an inverse that cannot be");
}

// Eigenvalues of the noise may be negative, and those that were not computed are 0 behind them.
void check_directions(const TransformParts& parts) {
  const Buffer<double>&values = parts.eigenvalues, &standardizer = parts.standardizer;
  const std::size_t rank = parts.summary.rank;
  if (values.empty()) {
    require(rank == 0 && standardizer.empty(), "a rank without eigenvalues");
    return;
  }
  require(parts.kind != Linear::identity && parts.kind != Linear::diagonal, "eigenvalues without a matrix");
  const double threshold = parts.summary.rank_threshold;
  require(std::is_sorted(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(rank),
                         [](double a, double b) { return a > b; }),
          "the order of its eigenvalues");
  require((rank == 0 || values[rank - 1] > threshold) && (rank == values.size() || values[rank] <= threshold),
          "its rank");
  if (standardizer.empty()) return;
  require(parts.kind == Linear::dense, "a standardizer beside a matrix that is not standardized");
  require(*std::min_element(standardizer.begin(), standardizer.end()) >= 0, "a negative standard deviation");
  require(static_cast<std::size_t>(std::count(standardizer.begin(), standardizer.end(), 0.0)) ==
              parts.summary.dead,
          "its coordinates without variance");
}

// Weights are sums that rows were taken out of, and may be left with rounding below 0.
void check_summary(const TransformParts& parts) {
  const FitSummary& summary = parts.summary;
  const auto is_size = [](double number) { return number >= 0 && std::isfinite(number); };
  const auto is_share = [](double number) { return number >= 0 && number <= 1; };
  require(summary.rank <= parts.columns && summary.kept <= parts.columns &&
              summary.dropped <= parts.columns && summary.dead <= parts.columns &&
              summary.kept + summary.dropped <= parts.columns + summary.dead,
          "more directions than columns");
  require(std::isfinite(summary.weight) && std::isfinite(summary.effective_rows), "its weight");
  require(is_size(summary.rank_threshold) && is_size(summary.ridge) && is_size(summary.condition) &&
              is_share(summary.shrinkage) && is_share(summary.explained),
          "a number of its summary");
}

void check_text(const std::string& text) {
  require(std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }),
          "a text that is none");
}

}  // namespace

void check_parts(const TransformParts& parts) {
  check_sizes(parts);
  check_range(parts.mean, "mean");
  check_range(parts.linear, "matrix");
  check_range(parts.eigenvalues, "eigenvalues");
  check_range(parts.standardizer, "standardizer");
  check_summary(parts);
  check_inverse(parts);
  check_directions(parts);
  check_text(parts.spec);
  check_text(parts.not_invertible);
  require(parts.summary.warnings.size() <= kMostWarnings, "the number of its warnings");
  for (const std::string& warning : parts.summary.warnings) check_text(warning);
}

}  // namespace isovec::core
