#include "codec/code_encoder.hpp"

#include <algorithm>
#include <isovec/error.hpp>
#include <limits>
#include <string>

#include "codec/code_block_layout.hpp"
#include "codec/row_encoder.hpp"
#include "core/code_kernels.hpp"
#include "core/floating_point.hpp"

namespace isovec::codec {
namespace {

/// A row many times longer than most would pull the center away from all of them.
constexpr double kOutlier = 4;

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

/// Sizes and codes one block. Rows gives state(row) and fill(row, factor, y).
template <class Rows>
class BlockEncoder {
 public:
  BlockEncoder(const CodeBlockLabel& label, const CodeBlockShape& shape, const Rows& rows)
      : label_(label),
        shape_(shape),
        rows_(rows),
        y_(shape.dimension),
        center_(shape.dimension),
        block_(shape.bytes()) {}

  Buffer<std::byte> encode() && {
    for (std::size_t row = 0; row < shape_.rows; ++row) states_[row] = rows_.state(row);
    place_center();
    write_header();
    RowEncoder encoder(shape_, block_);
    for (std::size_t row = 0; row < shape_.rows; ++row) encoder.write(row, rows_, row, states_[row]);
    seal_block(block_, label_.seed);
    return std::move(block_);
  }

 private:
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
      rows_.fill(row, states_[row].factor, y_.data());
      core::code_kernels().accumulate(y_.data(), shape_.dimension, sum.data());
      ++count;
    }
    const double divisor = count == 0 ? 1 : static_cast<double>(count);
    for (std::size_t i = 0; i < sum.size(); ++i) center_[i] = static_cast<float>(sum[i] / divisor);
  }

  void write_header() {
    using namespace code_layout;
    std::memcpy(block_.data() + kMagicAt, kMagic, sizeof kMagic);
    store(block_.data() + kVersionAt, kVersion);
    store(block_.data() + kMetricAt, static_cast<std::uint8_t>(shape_.metric));
    store(block_.data() + kTransformedAt, static_cast<std::uint8_t>(shape_.transformed ? 1 : 0));
    store(block_.data() + kDimensionAt, static_cast<std::uint32_t>(shape_.dimension));
    store(block_.data() + kRowsAt, static_cast<std::uint32_t>(shape_.rows));
    std::memcpy(block_.data() + kCenterAt, center_.data(), 4 * center_.size());
    std::byte* const slots = block_.data() + codes_at(shape_) - 4 * shape_.rows;  // behind the other numbers
    for (std::size_t row = 0; row < shape_.rows; ++row)
      store(slots + 4 * row, static_cast<std::uint32_t>(label_.slots[row]));
  }

  const CodeBlockLabel& label_;
  CodeBlockShape shape_;
  const Rows& rows_;
  std::array<RowState, kBlockRows> states_{};
  Buffer<double> y_;
  Buffer<float> center_;
  Buffer<std::byte> block_;
};

template <class Rows>
void recode(std::span<std::byte> block, const CodeBlockShape& shape, std::span<const std::size_t> which,
            const Rows& rows) {
  RowEncoder encoder(shape, block);
  for (std::size_t i = 0; i < which.size(); ++i) encoder.write(which[i], rows, i, rows.state(i));
}

/// The shape of a block of which rows are to be coded anew from so many numbers.
CodeBlockShape recoded_shape(std::span<std::byte> block, std::span<const std::size_t> which,
                             std::size_t numbers, bool transformed) {
  const CodeBlockShape shape = CodeBlockView::parse(block).shape();
  const bool fits =
      shape.transformed == transformed && numbers == which.size() * shape.dimension &&
      std::all_of(which.begin(), which.end(), [&](std::size_t row) { return row < shape.rows; });
  if (!fits) throw Error(Code::invalid_argument, "rows of another kind or size than the block's");
  return shape;
}

void check_transformed(const TransformedRows& rows, std::size_t n) {
  if (rows.reaches.size() == n && rows.divisors.size() == n) return;
  throw Error(Code::invalid_argument, "transformed rows are coded with a reach and a divisor each");
}

CodeBlockShape shape_of(const CodeBlockLabel& label, bool transformed) noexcept {
  return {label.metric, transformed, label.dimension, label.slots.size()};
}

}  // namespace

Buffer<std::byte> encode_block(const CodeBlockLabel& label, std::span<const float> rows) {
  check_label(label, rows.size());
  const core::FloatingPointScope scope;
  const CodeBlockShape shape = shape_of(label, false);
  const RawRows source(shape, rows);
  return BlockEncoder(label, shape, source).encode();
}

Buffer<std::byte> encode_block(const CodeBlockLabel& label, const TransformedRows& rows) {
  check_label(label, rows.z.size());
  check_transformed(rows, label.slots.size());
  const core::FloatingPointScope scope;
  const CodeBlockShape shape = shape_of(label, true);
  const MappedRows source(shape, rows);
  return BlockEncoder(label, shape, source).encode();
}

void recode_rows(std::span<std::byte> block, std::span<const std::size_t> which,
                 std::span<const float> rows) {
  const CodeBlockShape shape = recoded_shape(block, which, rows.size(), false);
  const core::FloatingPointScope scope;
  recode(block, shape, which, RawRows(shape, rows));
}

void recode_rows(std::span<std::byte> block, std::span<const std::size_t> which,
                 const TransformedRows& rows) {
  const CodeBlockShape shape = recoded_shape(block, which, rows.z.size(), true);
  check_transformed(rows, which.size());
  const core::FloatingPointScope scope;
  recode(block, shape, which, MappedRows(shape, rows));
}

void seal_block(std::span<std::byte> block, std::uint64_t seed) noexcept {
  code_layout::store(block.data(), code_layout::checksum_of(block, seed));
}

void for_each_part(const CodeBlockShape& shape, std::size_t row,
                   const std::function<void(std::size_t offset, std::size_t bytes)>& visit) {
  using namespace code_layout;
  visit(0, kCenterAt);
  const std::size_t numbers = numbers_per_row(shape) - 1;  // its slot stays
  for (std::size_t i = 0; i < numbers; ++i) visit(rows_at(shape) + 4 * (i * shape.rows + row), 4);
  visit(codes_at(shape) + row * shape.dimension, shape.dimension);
}

}  // namespace isovec::codec
