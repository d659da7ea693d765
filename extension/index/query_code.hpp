#pragma once
// A query prepared for blocks of codes: in 16 bits, with everything about it that bounds need, once for all
// blocks.

#include <cstddef>
#include <cstdint>
#include <isovec/buffer.hpp>
#include <isovec/transform.hpp>
#include <span>

#include "core/code_kernels.hpp"
#include "index/metric.hpp"

namespace isovec::index {

/// How far a computed distance may be from the real distance of the real vectors q and y that it stands for:
///   |computed - real|     <= absolute + relative * real + per_norm |y| + per_reach reach   (cosine, dot, raw
///   l2) |computed^2 - real^2| <= 2 (per_norm |y| + per_reach reach) + squared (|q|^2 + |y|^2)  (l2 of
///   transformed rows)
/// reach is that of codec::TransformedRows.
struct ScoreError {
  double absolute = 0;
  double relative = 0;
  double per_norm = 0;
  double per_reach = 0;
  double squared = 0;
};

/// The size of a transform's linear part, for bounds on rounding: at least the Frobenius norm of |W|,
/// computed as W is applied. Costs a pass over W: keep it with the transform.
[[nodiscard]] double linear_size(const Transform& transform);

/// A query under a transform.
struct TransformedQuery {
  std::span<const double> z;  ///< W (q - mean), k numbers, by fixed-order float64 arithmetic
  double divisor = 1;  ///< what scores divide z by: |z| where they compare directions, as for cosine, else 1
  double reach = 0;    ///< |q| + |mean|, as in codec::TransformedRows
  double linear_size = 0;   ///< of the transform
  std::size_t columns = 0;  ///< d, the dimension of q
  /// Where rows are normalized before the map: how far, relatively, the |x| that scores divide by may be from
  /// the |x| that was coded with.
  double row_norm_error = 0;
};

class QueryCode {
 public:
  /// A query of untransformed rows. Throws Error{invalid_argument} where a number is not finite, or for a
  /// cosine with a zero vector.
  [[nodiscard]] static QueryCode raw(Metric metric, std::span<const float> query);
  /// A vector whose products with untransformed rows, coded for `coded_for`, are to be bounded, and which no
  /// score is computed from: its score_error() is zero.
  [[nodiscard]] static QueryCode linear(Metric coded_for, std::span<const double> vector);
  [[nodiscard]] static QueryCode transformed(Metric metric, const TransformedQuery& query);

  [[nodiscard]] Metric metric() const noexcept { return metric_; }
  [[nodiscard]] bool is_transformed() const noexcept { return transformed_; }
  [[nodiscard]] std::size_t dimension() const noexcept { return vector_.size(); }
  /// Whether anything can be said from codes, and not of l1; where not, every row has to be scored.
  [[nodiscard]] bool bounded() const noexcept { return bounded_; }
  /// q, in cosine q / |q|, in float64.
  [[nodiscard]] std::span<const double> vector() const noexcept { return vector_; }
  [[nodiscard]] double norm() const noexcept { return norm_; }          ///< at least |q|
  [[nodiscard]] double step() const noexcept { return step_; }          ///< q^ = step * code
  [[nodiscard]] double residual() const noexcept { return residual_; }  ///< at least |q - q^|
  [[nodiscard]] const ScoreError& score_error() const noexcept { return error_; }
  /// What products with coarse codes leave open, of the integers w = 256 high + low of q^.
  struct Planes {
    double norm = 0;      ///< at least |w|
    double low_norm = 0;  ///< at least |low|
    double high_sum = 0;  ///< of high
  };
  [[nodiscard]] const Planes& planes() const noexcept { return planes_; }
  [[nodiscard]] core::CodeQuery code() const noexcept {
    return {wide_.data(), high_.data(), low_.data(), sum_, folded_.data()};
  }

 private:
  QueryCode(Metric metric, bool transformed, Buffer<double> vector);
  void quantize();
  void fold();

  Metric metric_;
  bool transformed_;
  bool bounded_ = false;
  Buffer<double> vector_;
  double norm_ = 0;
  double step_ = 0;
  double residual_ = 0;
  ScoreError error_;
  Buffer<std::int16_t> wide_;
  Buffer<std::int8_t> high_;
  Buffer<std::int8_t> low_;
  Buffer<std::int8_t> folded_;
  std::int64_t sum_ = 0;
  Planes planes_;
};

}  // namespace isovec::index
