#include "index/query_code.hpp"

#include <algorithm>
#include <cmath>
#include <isovec/error.hpp>

#include "core/floating_point.hpp"
#include "core/kernels.hpp"

namespace isovec::index {
namespace {

constexpr double kRoundoff32 = 0x1p-24;
constexpr double kRoundoff64 = 0x1p-53;

/// Queries whose largest element lies outside have no bounds: their squares would leave float64.
constexpr double kSmallest = 0x1p-300;
constexpr double kLargest = 0x1p300;

[[noreturn]] void refuse_zero() {
  throw Error(Code::invalid_argument, "the query is a zero vector, and a cosine with it is undefined");
}

/// Roundings on the way of a term through the canonical float32 sum (core/kernels.hpp): one of its product,
/// one for each step of its lane, five in the tree.
double float32_roundings(std::size_t d) noexcept {
  return static_cast<double>(1 + (d + 31) / 32 + 5);
}

// What the float32 measures of core/similarity.hpp may be off, with n = float32_roundings(d), u = 2^-24 and
// gamma(n) = n u / (1 - n u) < 1.001 n u for d <= 8192 (N. J. Higham, Accuracy and Stability of Numerical
// Algorithms, 3.1). A sum below 2^-80 or not finite is taken again in float64; above, underflow has cost less
// than 2^-54 of it.
ScoreError raw_error(Metric metric, std::size_t d, double norm) noexcept {
  const double gamma = 1.01 * float32_roundings(d) * kRoundoff32;
  ScoreError error;
  switch (metric) {
    case Metric::cosine:
      // |q.x| is off by gamma |q||x|, each squared norm by gamma of itself, the root of their product (exact
      // in float64) by gamma of itself: 2 gamma of |cos| <= 1 and second-order terms. The float64 roundings
      // of root, quotient and 1 - cos are below u / 2^20.
      error.absolute = 2.02 * gamma + kRoundoff32 * 0x1p-20;
      break;
    case Metric::l2:
      // Each difference is rounded once before it is squared, so a term meets n + 2 roundings; the root
      // halves.
      error.relative = 0.51 * (gamma + 2.02 * kRoundoff32);
      break;
    case Metric::dot:
      error.per_norm = gamma * norm;
      error.absolute = static_cast<double>(d) * 0x1p-149;
      break;
    case Metric::l1:
    case Metric::hamming:
    case Metric::jaccard:
      break;  // not bounded by codes
  }
  return error;
}

// With w = linear_size, r_q and r_x the reaches and g = gamma(2d + k + 64) in float64 (any order of
// summation): z_q and z_x are computed within g w r_q and g w r_x, their norms too; W^T z_q, or W^T W (q -
// mean) by a product prepared before, within 2 g w^2 r_q; the product with x less that with the mean within g
// w |z_q| r_x more. So the computed <z_q, z_x> and |z_q| differ from those of the vectors that were coded by
// at most
//   3 g (w^2 r_q r_x + w |z_q| r_x + w r_q |z_x| + |z_q||z_x|),
// which is per_norm |z_x| + per_reach r_x below, also where both sides are divided by their norms. In l2 the
// squared norms are off by g of themselves and 2 g w r_q |z_q|. An |x| that is off by a share s moves a.x /
// |x| by at most s w |z_q|, and r_x is at least 1 there.
ScoreError transformed_error(Metric metric, const TransformedQuery& query, double norm) noexcept {
  const auto terms = static_cast<double>(2 * query.columns + query.z.size() + 64);
  const double g = 4 * terms * kRoundoff64;
  const double reach = query.reach / query.divisor;
  const double w = query.linear_size;
  ScoreError error;
  error.per_norm = g * (norm + w * reach);
  error.per_reach = g * w * (norm + w * reach) + query.row_norm_error * w * norm;
  if (metric == Metric::l2) error.squared = norm > 0 ? g * (2 + w * reach / norm) : 2 * g;
  if (metric == Metric::l2) error.absolute = g * w * reach;
  return error;
}

}  // namespace

double linear_size(const Transform& transform) {
  const TransformParts& parts = transform.parts();
  double sum = 0;
  double largest = 0;
  for (const double entry : parts.linear) {
    sum += entry * entry;
    largest = std::max(largest, std::abs(entry));
  }
  switch (parts.kind) {
    case Linear::identity:
      return 1;
    case Linear::diagonal:
      return largest;
    case Linear::projection:
      return 1 + sum * (1 + 0x1p-20);  // x - E^T (E x): |E|^T |E| is at most the sum of squares
    case Linear::dense:
    case Linear::symmetric:
      break;
  }
  return std::sqrt(sum) * (1 + 0x1p-20);
}

QueryCode QueryCode::raw(Metric metric, std::span<const float> query) {
  const core::FloatingPointScope scope;
  Buffer<double> vector(query.begin(), query.end());
  const double norm = std::sqrt(core::kernels().dot_f64(vector.data(), vector.data(), vector.size()));
  if (!std::isfinite(norm)) {
    throw Error(Code::invalid_argument,
                "the query holds NaN or infinity: only finite numbers have distances");
  }
  if (metric == Metric::cosine) {
    if (norm == 0) refuse_zero();
    for (double& element : vector) element /= norm;
  }
  QueryCode result(metric, false, std::move(vector));
  result.error_ = raw_error(metric, query.size(), result.norm_);
  return result;
}

QueryCode QueryCode::linear(Metric coded_for, std::span<const double> vector) {
  const core::FloatingPointScope scope;
  return QueryCode(coded_for, false, {vector.begin(), vector.end()});
}

QueryCode QueryCode::transformed(Metric metric, const TransformedQuery& query) {
  const core::FloatingPointScope scope;
  Buffer<double> vector(query.z.begin(), query.z.end());
  if (query.divisor == 0) refuse_zero();
  for (double& element : vector) element /= query.divisor;
  QueryCode result(metric, true, std::move(vector));
  result.error_ = transformed_error(metric, query, result.norm_);
  const ScoreError& error = result.error_;
  if (!std::isfinite(error.per_norm + error.per_reach + error.squared + error.absolute))
    result.bounded_ = false;
  return result;
}

QueryCode::QueryCode(Metric metric, bool transformed, Buffer<double> vector)
    : metric_(metric), transformed_(transformed), vector_(std::move(vector)) {
  double largest = 0;
  bool finite = true;
  for (const double element : vector_) {
    finite = finite && std::isfinite(element);
    largest = std::max(largest, std::abs(element));
  }
  const std::size_t padded =
      (vector_.size() + core::kCodePadding - 1) / core::kCodePadding * core::kCodePadding;
  wide_.resize(padded);
  high_.resize(padded);
  low_.resize(padded);
  bounded_ =
      is_of_products(metric_) && finite && (largest == 0 || (largest >= kSmallest && largest <= kLargest));
  if (!bounded_) return;
  const double rounding = 1 + static_cast<double>(vector_.size() + 32) * kRoundoff64;
  norm_ = std::sqrt(core::kernels().dot_f64(vector_.data(), vector_.data(), vector_.size())) * rounding;
  step_ = largest / core::kLargestQueryCode;
  if (largest > 0) quantize();
  residual_ *= rounding;
  fold();
}

void QueryCode::quantize() {
  double squared_residual = 0;
  Planes squares;
  for (std::size_t i = 0; i < vector_.size(); ++i) {
    const double nearest = std::nearbyint(vector_[i] / step_);
    const auto code = static_cast<std::int32_t>(
        std::clamp<double>(nearest, -core::kLargestQueryCode, core::kLargestQueryCode));
    const std::int32_t high = (code + 128) >> 8;
    wide_[i] = static_cast<std::int16_t>(code);
    high_[i] = static_cast<std::int8_t>(high);
    low_[i] = static_cast<std::int8_t>(code - 256 * high);
    sum_ += code;
    squares.norm += static_cast<double>(code) * code;  // exact, as those below
    squares.low_norm += static_cast<double>(low_[i]) * low_[i];
    squares.high_sum += high;
    const double left = vector_[i] - code * step_;
    squared_residual += left * left;
  }
  // code * step and the difference are rounded: off by at most two units of |q|.
  residual_ = std::sqrt(squared_residual) + 2 * kRoundoff64 * norm_;
  constexpr double kUp = 1 + 4 * kRoundoff64;
  planes_ = {std::sqrt(squares.norm) * kUp, std::sqrt(squares.low_norm) * kUp, squares.high_sum};
}

void QueryCode::fold() {
  const std::size_t d = vector_.size();
  const auto middle = high_.begin() + static_cast<std::ptrdiff_t>(core::folded_bytes(d));
  folded_.resize(2 * core::folded_half(d));
  std::copy(high_.begin(), middle, folded_.begin());
  std::copy(middle, high_.begin() + static_cast<std::ptrdiff_t>(d),
            folded_.begin() + static_cast<std::ptrdiff_t>(core::folded_half(d)));
}

}  // namespace isovec::index
