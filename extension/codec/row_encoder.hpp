#pragma once
// Codes single rows of a block against the center that it has: for code_encoder.cpp, which makes whole blocks
// and changes rows of them.

#include <algorithm>
#include <cmath>
#include <isovec/buffer.hpp>
#include <isovec/error.hpp>
#include <limits>

#include "codec/code_block_layout.hpp"
#include "codec/code_encoder.hpp"
#include "core/code_kernels.hpp"
#include "core/kernels.hpp"

namespace isovec::codec {

inline constexpr double kRoundoff = 0x1p-53;

/// Elements whose squares and whose center neither float64 nor float32 loses; rows beyond are unbounded.
inline constexpr double kSmallest = 0x1p-300;
inline constexpr double kLargest = 0x1p100;

/// The smallest float that is not below v.
[[nodiscard]] inline float round_up(double v) noexcept {
  const auto nearest = static_cast<float>(v);
  if (!(static_cast<double>(nearest) < v)) return nearest;
  return std::nextafter(nearest, std::numeric_limits<float>::infinity());
}

enum class RowKind : std::uint8_t { undefined, unbounded, coded };

/// A row before it is coded: y = source * factor.
struct RowState {
  RowKind kind = RowKind::undefined;
  double factor = 1;
  double norm = 0;   // |y|
  double reach = 0;  // 0 where not transformed
};

/// The numbers of a coded row.
struct RowNumbers {
  float scale = 0;
  float error = std::numeric_limits<float>::infinity();
  float term = 0;
  float norm = 0;
  float reach = 0;

  [[nodiscard]] bool finite() const noexcept {
    return std::isfinite(scale) && std::isfinite(error) && std::isfinite(term) && std::isfinite(norm) &&
           std::isfinite(reach);
  }
};

/// Untransformed rows, n x d.
class RawRows {
 public:
  RawRows(const CodeBlockShape& shape, std::span<const float> rows)
      : d_(shape.dimension), unit_(shape.metric == CodeMetric::cosine), rows_(rows), wide_(d_) {}

  [[nodiscard]] RowState state(std::size_t row) const {
    fill(row, 1, wide_.data());
    const double norm = std::sqrt(core::kernels().dot_f64(wide_.data(), wide_.data(), d_));
    if (!std::isfinite(norm)) {
      throw Error(Code::invalid_argument,
                  "a vector to be coded holds NaN or infinity: only finite numbers have "
                  "distances");
    }
    if (unit_) return norm == 0 ? RowState{} : RowState{RowKind::coded, 1 / norm, 1, 0};
    return {norm > kLargest ? RowKind::unbounded : RowKind::coded, 1, norm, 0};
  }

  void fill(std::size_t row, double factor, double* y) const {
    core::code_kernels().widen(rows_.data() + row * d_, factor, d_, y);
  }

 private:
  std::size_t d_;
  bool unit_;
  std::span<const float> rows_;
  mutable Buffer<double> wide_;
};

/// Rows after a transform.
class MappedRows {
 public:
  MappedRows(const CodeBlockShape& shape, const TransformedRows& rows)
      : d_(shape.dimension),
        cosine_(shape.metric == CodeMetric::cosine),
        rows_(rows),
        wide_(d_),
        zeros_(d_) {}

  [[nodiscard]] RowState state(std::size_t row) const {
    const double divisor = rows_.divisors[row];
    if (divisor == 0) return {};
    RowState state{RowKind::unbounded, 1 / divisor, 0, rows_.reaches[row] / divisor};
    fill(row, state.factor, wide_.data());
    state.norm = std::sqrt(core::kernels().dot_f64(wide_.data(), wide_.data(), d_));
    if (!std::isfinite(state.norm) || !std::isfinite(state.reach)) return state;
    if (divisor < 0 || state.reach < 0) return state;
    // Finite, so every element is; a sum of squares may have lost small ones.
    const double largest = core::code_kernels().largest_residual(wide_.data(), zeros_.data(), d_);
    const bool describable = largest == 0 || (largest >= kSmallest && state.norm <= kLargest);
    // Bounds of cosines take every row for a unit vector.
    const bool unit = !cosine_ || std::abs(state.norm - 1) < kUnitTolerance;
    if (describable && unit) state.kind = RowKind::coded;
    return state;
  }

  void fill(std::size_t row, double factor, double* y) const {
    const double* const z = rows_.z.data() + row * d_;
    for (std::size_t i = 0; i < d_; ++i) y[i] = z[i] * factor;
  }

 private:
  static constexpr double kUnitTolerance = 0x1p-30;
  std::size_t d_;
  bool cosine_;
  const TransformedRows& rows_;
  mutable Buffer<double> wide_;
  Buffer<float> zeros_;
};

/// Writes rows of a block whose center stands in it. What it writes of a row follows from the row and the
/// center alone.
class RowEncoder {
 public:
  /// `block` has the size that `shape` asks for.
  RowEncoder(const CodeBlockShape& shape, std::span<std::byte> block)
      : shape_(shape), block_(block), y_(shape.dimension), center_(shape.dimension) {
    std::memcpy(center_.data(), block_.data() + code_layout::kCenterAt, 4 * center_.size());
    center_norm_ = std::sqrt(kernels_.center_sums(y_.data(), center_.data(), y_.size()).squared_norm);
  }

  /// Makes row `row` of the block what row `source` of `rows` is.
  template <class Rows>
  void write(std::size_t row, const Rows& rows, std::size_t source, const RowState& state) {
    using namespace code_layout;
    auto* const codes =
        reinterpret_cast<std::int8_t*>(block_.data() + codes_at(shape_) + row * shape_.dimension);
    std::fill_n(codes, shape_.dimension, std::int8_t{0});
    RowNumbers numbers;
    if (state.kind == RowKind::coded) {
      rows.fill(source, state.factor, y_.data());
      numbers = code(state, codes);
      if (!numbers.finite()) {
        numbers = RowNumbers();
        std::fill_n(codes, shape_.dimension, std::int8_t{0});
      }
    }
    if (state.kind == RowKind::undefined) numbers.error = 0;
    define(row, state.kind != RowKind::undefined);
    std::byte* to = block_.data() + rows_at(shape_) + 4 * row;
    const auto put = [&](float number) {
      store(to, number);
      to += 4 * shape_.rows;
    };
    put(numbers.scale);
    put(numbers.error);
    put(numbers.term);
    if (shape_.has_norms()) put(numbers.norm);
    if (shape_.transformed) put(numbers.reach);
  }

 private:
  void define(std::size_t row, bool defined) noexcept {
    RowMask mask;
    std::byte* const at = block_.data() + code_layout::kDefinedAt;
    std::memcpy(mask.words().data(), at, sizeof mask);
    defined ? mask.set(row) : mask.reset(row);
    std::memcpy(at, mask.words().data(), sizeof mask);
  }

  /// Codes y_.
  [[nodiscard]] RowNumbers code(const RowState& state, std::int8_t* codes) const {
    const std::size_t d = shape_.dimension;
    const double largest = kernels_.largest_residual(y_.data(), center_.data(), d);
    RowNumbers numbers;
    numbers.scale = round_up(largest / 127);
    core::CodeResidual left{};  // a row at the center leaves nothing
    if (numbers.scale > 0 && std::isfinite(numbers.scale)) {
      left = kernels_.quantize(y_.data(), center_.data(), numbers.scale, d, codes);
    }
    // delta was computed with relative errors of kRoundoff in y - c and in the difference to the exact scale
    // * code, y itself with at most (d + 8) of them where it was divided by a norm, and the sum of squares
    // with at most d + 1: (d + 32) covers each, with the roundings of this line.
    const double rounding = static_cast<double>(d + 32) * kRoundoff;
    const double error =
        std::sqrt(left.squared_norm) * (1 + rounding) + rounding * (state.norm + center_norm_);
    numbers.error = round_up(error);
    numbers.term = static_cast<float>(shape_.metric == CodeMetric::l2 ? left.offset : left.correction);
    numbers.norm = round_up(state.norm * (1 + rounding));
    numbers.reach = round_up(state.reach * (1 + rounding));
    return numbers;
  }

  CodeBlockShape shape_;
  std::span<std::byte> block_;
  const core::CodeKernels& kernels_ = core::code_kernels();
  Buffer<double> y_;
  Buffer<float> center_;
  double center_norm_ = 0;
};

}  // namespace isovec::codec
