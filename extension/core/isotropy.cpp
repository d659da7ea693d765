#include "core/isotropy.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/covariance.hpp"
#include "core/eigen.hpp"
#include "core/key_values.hpp"
#include "core/matrix_kernels.hpp"
#include "core/moment_sums.hpp"
#include "core/work.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace isovec::core {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
// From these on a finding is worth a sentence.
constexpr double kLargeMeanCosine = 0.1;
constexpr double kRogueShare = 0.2;
constexpr double kLargeTopShare = 0.2;

StatisticsOptions unit_rows() {
  StatisticsOptions options;
  options.normalize = true;
  return options;
}

double square(double x) {
  return x * x;
}

std::string rounded(double value) {
  return shortest(std::round(value * 1000) / 1000);
}

// |sum w u u^T|_F^2 and |sum w u|^2 about the origin, from sums about a shift.
struct AboutOrigin {
  double squared_second = 0;
  Buffer<double> first;
};
AboutOrigin about_origin(const Sums& sums, const Checkpoint& checkpoint) {
  const Sums moved = moved_to(sums, Buffer<double>(sums.columns(), 0.0), checkpoint);
  return {squared_frobenius(moved.second, moved.columns()), moved.first};
}

// Over all ordered pairs of different rows, weighted by w_i w_j: the mean cosine is (|sum w u|^2 - sum w^2)
// and the mean squared cosine (|sum w u u^T|_F^2 - sum w^2), both over (sum w)^2 - sum w^2.
void measure_cosines(IsotropyReport& report, const Sums& unit, const Checkpoint& checkpoint) {
  const double d = static_cast<double>(report.dimensions);
  report.expected_deviation = 1 / std::sqrt(d);
  report.mean_cosine = report.cosine_deviation = report.effective_dimension = report.mean_norm = kUndefined;
  if (unit.positive_rows == 0) return;
  const AboutOrigin sums = about_origin(unit, checkpoint);
  const double first = matrix_kernels().dot(sums.first.data(), sums.first.data(), sums.first.size());
  report.mean_norm = std::sqrt(first) / unit.weight;
  for (std::size_t j = 0; j < sums.first.size(); ++j) {
    const double share = first > 0 ? square(sums.first[j]) / first : 0;
    if (share > report.rogue_share) {
      report.rogue_share = share;
      report.rogue = j;
    }
  }
  const double pairs = square(unit.weight) - unit.squared_weight;
  if (unit.positive_rows < 2 || !(pairs > 0)) return;
  report.mean_cosine = std::clamp((first - unit.squared_weight) / pairs, -1.0, 1.0);
  const double squares = std::max(0.0, (sums.squared_second - unit.squared_weight) / pairs);
  report.cosine_deviation = std::sqrt(std::max(0.0, squares - square(report.mean_cosine)));
  report.effective_dimension = squares > 0 ? 1 / squares : kUndefined;
}

void measure_spectrum(IsotropyReport& report, const Statistics& raw, const Checkpoint& checkpoint) {
  report.participation_ratio = report.iso_score = report.top_share = report.condition = kUndefined;
  report.mean_energy = kUndefined;
  if (!(raw.degrees_of_freedom() > 0)) return;
  const Variances variances = variances_of(raw, report.dimensions);
  for (std::size_t j = 0; j < variances.dead.size(); ++j) {
    if (variances.dead[j]) report.dead.push_back(j);
  }
  double mean_square = 0;
  for (const double x : variances.mean) mean_square += x * x;
  const double scatter = variances.trace * raw.degrees_of_freedom() / raw.sums().weight;
  if (mean_square + scatter > 0) report.mean_energy = mean_square / (mean_square + scatter);
  Buffer<double> covariance = covariance_of(raw, report.dimensions);
  const double norm = squared_frobenius(covariance, report.dimensions);
  if (!(variances.trace > variances.noise) || !(norm > 0)) return;
  report.participation_ratio = square(variances.trace) / norm;
  if (report.dimensions > 1) {
    report.iso_score = (report.participation_ratio - 1) / static_cast<double>(report.dimensions - 1);
  }
  const Buffer<double> values =
      decompose_symmetric(std::move(covariance), report.dimensions, checkpoint).values;
  const double threshold = variances.noise + static_cast<double>(report.dimensions) *
                                                 std::numeric_limits<double>::epsilon() / 2 * values.front();
  while (report.rank < values.size() && values[report.rank] > threshold) ++report.rank;
  report.top_share = values.front() / variances.trace;
  if (report.rank != 0) report.condition = values.front() / values[report.rank - 1];
}

void describe_direction(IsotropyReport& report) {
  if (report.mean_cosine > kLargeMeanCosine) {
    report.findings.push_back("vectors point one way: two random rows have a cosine of " +
                              rounded(report.mean_cosine) +
                              " on average; centering, or project_mean, brings it to about 0");
  } else if (!std::isnan(report.mean_cosine)) {
    report.findings.push_back("vectors do not point one way: the mean cosine is " +
                              rounded(report.mean_cosine));
  }
  if (report.rogue_share > kRogueShare && report.mean_cosine > kLargeMeanCosine) {
    report.findings.push_back("coordinate " + std::to_string(report.rogue) + " alone makes " +
                              rounded(100 * report.rogue_share) +
                              " % of the mean cosine; centering removes its part");
  }
  if (report.cosine_deviation > 0) {
    report.findings.push_back("cosines spread by " + rounded(report.cosine_deviation) + ", against " +
                              rounded(report.expected_deviation) + " if vectors filled all " +
                              std::to_string(report.dimensions) + " dimensions evenly: as many as in " +
                              rounded(report.effective_dimension) + " dimensions");
  }
}

void describe_rows(IsotropyReport& report) {
  if (!report.dead.empty()) {
    report.findings.push_back(std::to_string(report.dead.size()) +
                              " coordinates do not vary and can be left out, the first is " +
                              std::to_string(report.dead.front()));
  }
  if (report.top_share > kLargeTopShare) {
    report.findings.push_back("one direction holds " + rounded(100 * report.top_share) +
                              " % of the variance: try remove_top or standardize");
  }
  const std::size_t alive = report.dimensions - report.dead.size();
  if (report.rank < alive && report.rank != 0) {
    report.findings.push_back("the rows span " + std::to_string(report.rank) + " of " +
                              std::to_string(report.dimensions) + " directions");
  }
  if (report.effective_rows < 10 * static_cast<double>(report.dimensions)) {
    report.findings.push_back(
        "fewer than 10 rows a dimension: whiten with eps=1, shrinkage=oas or a small k=");
  }
  if (report.duplicate_rows != 0) {
    report.findings.push_back(std::to_string(report.duplicate_rows) +
                              (report.duplicate_rows == 1 ? " row repeats" : " rows repeat") +
                              " an earlier one");
  }
  if (report.zero_rows != 0) {
    report.findings.push_back(std::to_string(report.zero_rows) +
                              (report.zero_rows == 1 ? " row is" : " rows are") + " zero, without a cosine");
  }
}

std::uint64_t count_duplicates(Buffer<std::uint64_t> hashes, const Checkpoint& checkpoint) {
  Work work(checkpoint);
  sort(hashes.begin(), hashes.end(), work, std::less<>());
  const auto end = std::unique(hashes.begin(), hashes.end());
  return static_cast<std::uint64_t>(hashes.end() - end);
}

}  // namespace

Isotropy::Isotropy() : unit_(unit_rows()) {}

// Takes norms of this weight, mean and squares about it in.
void Isotropy::add_norms(double weight, double mean, double squares) {
  if (weight == 0) return;
  const double together = norm_weight_ + weight, apart = mean - norm_mean_;
  norm_squares_ += squares + apart * apart * (norm_weight_ * weight / together);
  norm_mean_ += apart * (weight / together);
  norm_weight_ = together;
}

void Isotropy::add(std::span<const float> row, double weight, double rounding, const Checkpoint& checkpoint) {
  raw_.add(row, weight, rounding, checkpoint);
  unit_.add(row, weight, rounding, checkpoint);
  double squares = 0;
  for (const float x : row) squares += static_cast<double>(x) * static_cast<double>(x);
  const double norm = std::sqrt(squares);
  norm_min_ = raw_.rows() == 1 ? norm : std::min(norm_min_, norm);
  norm_max_ = std::max(norm_max_, norm);
  add_norms(weight, norm, 0);
  row_.assign(row.begin(), row.end());
  for (float& x : row_) x += 0.0F;  // -0 equals 0
  hashes_.push_back(XXH3_64bits(row_.data(), row_.size() * sizeof(float)));
}

void Isotropy::merge(const Isotropy& other) {
  if (other.rows() == 0) return;
  norm_min_ = rows() == 0 ? other.norm_min_ : std::min(norm_min_, other.norm_min_);
  norm_max_ = std::max(norm_max_, other.norm_max_);
  raw_.merge(other.raw_);
  unit_.merge(other.unit_);
  add_norms(other.norm_weight_, other.norm_mean_, other.norm_squares_);
  hashes_.insert(hashes_.end(), other.hashes_.begin(), other.hashes_.end());
}

IsotropyReport Isotropy::report(const Checkpoint& checkpoint) const {
  raw_.settle(checkpoint);
  unit_.settle(checkpoint);
  IsotropyReport report;
  const Sums& raw = raw_.sums();
  report.rows = raw.rows;
  report.dimensions = raw.dimensions;
  report.zero_rows = unit_.sums().zero_rows;
  report.duplicate_rows = count_duplicates(hashes_, checkpoint);
  report.effective_rows = raw_.effective_rows();
  report.norm_mean = norm_mean_;
  report.norm_deviation = norm_weight_ > 0 ? std::sqrt(norm_squares_ / norm_weight_) : 0;
  report.norm_min = norm_min_;
  report.norm_max = norm_max_;
  measure_cosines(report, unit_.sums(), checkpoint);
  measure_spectrum(report, raw_, checkpoint);
  describe_direction(report);
  describe_rows(report);
  return report;
}

}  // namespace isovec::core
