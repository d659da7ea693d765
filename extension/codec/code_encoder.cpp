#include "codec/code_encoder.hpp"

#include <algorithm>
#include <cmath>
#include <isovec/error.hpp>
#include <limits>
#include <optional>
#include <string>

#include "codec/code_block_layout.hpp"
#include "core/code_kernels.hpp"
#include "core/floating_point.hpp"
#include "core/kernels.hpp"

namespace isovec::codec {
namespace {

constexpr double kRoundoff = 0x1p-53;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Elements whose squares and whose center neither float64 nor float32 loses; rows beyond are unbounded.
constexpr double kSmallest = 0x1p-300;
constexpr double kLargest = 0x1p100;

/// A row many times longer than most would pull the center away from all of them.
constexpr double kOutlier = 4;

/// The smallest float that is not below v.
float round_up(double v) noexcept {
  const auto nearest = static_cast<float>(v);
  return static_cast<double>(nearest) < v ? std::nextafter(nearest, kInfinity) : nearest;
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
  float error = kInfinity;
  float term = 0;
  float norm = 0;
  float reach = 0;

  [[nodiscard]] bool finite() const noexcept {
    return std::isfinite(scale) && std::isfinite(error) && std::isfinite(term) && std::isfinite(norm) &&
           std::isfinite(reach);
  }
};

void check_label(const CodeBlockLabel& label, std::size_t numbers) {
  const std::size_t rows = label.slots.size();
  if (rows < 1 || rows > kBlockRows || label.dimension < 1 || label.dimension > kLargestBlockDimension ||
      numbers != rows * label.dimension) {
    throw Error(Code::invalid_argument, "a block of codes takes 1 to 256 rows of 1 to 8192 dimensions, not " +
                                            std::to_string(numbers) + " numbers for " + std::to_string(rows) +
                                            " rows of " + std::to_string(label.dimension));
  }
  for (const std::int64_t slot : label.slots) {
    if (slot < 0 || slot > std::numeric_limits<std::uint32_t>::max()) {
      throw Error(Code::too_big,
                  "a block of codes addresses slots up to 4294967295, not " + std::to_string(slot));
    }
  }
}

/// Sizes and codes one block. Rows gives states() and fill(row, factor, y).
template <class Rows>
class BlockEncoder {
 public:
  BlockEncoder(const CodeBlockLabel& label, const Rows& rows, bool transformed)
      : label_(label),
        rows_(rows),
        shape_{label.metric, transformed, label.dimension, label.slots.size()},
        y_(label.dimension),
        center_(label.dimension),
        block_(shape_.bytes()) {}

  Buffer<std::byte> encode() && {
    for (std::size_t row = 0; row < shape_.rows; ++row) states_[row] = rows_.state(row);
    place_center();
    write_header();
    for (std::size_t row = 0; row < shape_.rows; ++row) write_row(row);
    code_layout::store(block_.data(), code_layout::checksum_of(block_, label_.seed));
    return std::move(block_);
  }

 private:
  const double* y_of(std::size_t row) {
    rows_.fill(row, states_[row].factor, y_.data());
    return y_.data();
  }

  /// The longest row that takes part in the center.
  [[nodiscard]] double longest_in_center() const {
    Buffer<double> norms;
    for (std::size_t row = 0; row < shape_.rows; ++row) {
      if (states_[row].kind == RowKind::coded) norms.push_back(states_[row].norm);
    }
    if (norms.empty()) return 0;
    const auto middle = norms.begin() + static_cast<std::ptrdiff_t>(norms.size() / 2);
    std::nth_element(norms.begin(), middle, norms.end());
    return kOutlier * *middle;
  }

  /// The mean of the rows of ordinary length, in float32.
  void place_center() {
    const double longest = longest_in_center();
    Buffer<double> sum(shape_.dimension);
    std::size_t count = 0;
    for (std::size_t row = 0; row < shape_.rows; ++row) {
      if (states_[row].kind != RowKind::coded || states_[row].norm > longest) continue;
      kernels_.accumulate(y_of(row), shape_.dimension, sum.data());
      ++count;
    }
    const double divisor = count == 0 ? 1 : static_cast<double>(count);
    for (std::size_t i = 0; i < sum.size(); ++i) center_[i] = static_cast<float>(sum[i] / divisor);
    center_norm_ = std::sqrt(kernels_.center_sums(sum.data(), center_.data(), sum.size()).squared_norm);
  }

  void write_header() {
    using namespace code_layout;
    std::memcpy(block_.data() + kMagicAt, kMagic, sizeof kMagic);
    store(block_.data() + kVersionAt, kVersion);
    store(block_.data() + kMetricAt, static_cast<std::uint8_t>(shape_.metric));
    store(block_.data() + kTransformedAt, static_cast<std::uint8_t>(shape_.transformed ? 1 : 0));
    store(block_.data() + kDimensionAt, static_cast<std::uint32_t>(shape_.dimension));
    store(block_.data() + kRowsAt, static_cast<std::uint32_t>(shape_.rows));
    RowMask defined;
    for (std::size_t row = 0; row < shape_.rows; ++row) {
      if (states_[row].kind != RowKind::undefined) defined.set(row);
    }
    std::memcpy(block_.data() + kDefinedAt, defined.words().data(), sizeof(RowMask));
    std::memcpy(block_.data() + kCenterAt, center_.data(), 4 * center_.size());
  }

  void write_row(std::size_t row) {
    using namespace code_layout;
    std::byte* const codes = block_.data() + codes_at(shape_) + row * shape_.dimension;
    RowNumbers numbers;
    if (states_[row].kind == RowKind::coded) {
      numbers = code_row(row, reinterpret_cast<std::int8_t*>(codes));
      if (!numbers.finite()) {
        numbers = RowNumbers();
        std::fill_n(codes, shape_.dimension, std::byte{0});
      }
    }
    if (states_[row].kind == RowKind::undefined) numbers.error = 0;
    std::byte* to = block_.data() + rows_at(shape_) + 4 * row;
    const auto put = [&](auto number) {
      store(to, number);
      to += 4 * shape_.rows;
    };
    put(numbers.scale);
    put(numbers.error);
    put(numbers.term);
    if (shape_.has_norms()) put(numbers.norm);
    if (shape_.transformed) put(numbers.reach);
    put(static_cast<std::uint32_t>(label_.slots[row]));
  }

  RowNumbers code_row(std::size_t row, std::int8_t* codes) {
    const std::size_t d = shape_.dimension;
    const RowState& state = states_[row];
    const double* const y = y_of(row);
    const double largest = kernels_.largest_residual(y, center_.data(), d);
    RowNumbers numbers;
    numbers.scale = round_up(largest / 127);
    core::CodeResidual left{};  // a row at the center leaves nothing
    if (numbers.scale > 0 && std::isfinite(numbers.scale)) {
      left = kernels_.quantize(y, center_.data(), numbers.scale, d, codes);
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

  const CodeBlockLabel& label_;
  const Rows& rows_;
  CodeBlockShape shape_;
  const core::CodeKernels& kernels_ = core::code_kernels();
  std::array<RowState, kBlockRows> states_{};
  Buffer<double> y_;
  Buffer<float> center_;
  double center_norm_ = 0;
  Buffer<std::byte> block_;
};

class RawRows {
 public:
  RawRows(const CodeBlockLabel& label, std::span<const float> rows)
      : d_(label.dimension), unit_(label.metric == CodeMetric::cosine), rows_(rows), wide_(d_) {}

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

class MappedRows {
 public:
  MappedRows(const CodeBlockLabel& label, const TransformedRows& rows)
      : d_(label.dimension),
        cosine_(label.metric == CodeMetric::cosine),
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

}  // namespace

Buffer<std::byte> encode_block(const CodeBlockLabel& label, std::span<const float> rows) {
  check_label(label, rows.size());
  const core::FloatingPointScope scope;
  const RawRows source(label, rows);
  return BlockEncoder(label, source, false).encode();
}

Buffer<std::byte> encode_block(const CodeBlockLabel& label, const TransformedRows& rows) {
  check_label(label, rows.z.size());
  const std::size_t n = label.slots.size();
  if (rows.reaches.size() != n || rows.divisors.size() != n) {
    throw Error(Code::invalid_argument, "transformed rows are coded with a reach and a divisor each");
  }
  const core::FloatingPointScope scope;
  const MappedRows source(label, rows);
  return BlockEncoder(label, source, true).encode();
}

}  // namespace isovec::codec
