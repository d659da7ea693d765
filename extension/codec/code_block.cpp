#include "codec/code_block.hpp"

#include <algorithm>
#include <isovec/error.hpp>
#include <string>
#include <type_traits>

#include "codec/code_block_layout.hpp"
#include "core/code_kernels.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace isovec::codec {
namespace {

constexpr std::uint32_t kInfinity = 0x7F80'0000;  // the bits of +infinity

[[noreturn]] void refuse(const std::string& what) {
  throw Error(Code::corrupt, "a block of codes is damaged: " + what);
}

CodeBlockShape read_shape(std::span<const std::byte> bytes) {
  using namespace code_layout;
  if (bytes.size() < kCenterAt) {
    refuse("it has " + std::to_string(bytes.size()) + " bytes, and its header takes " +
           std::to_string(kCenterAt));
  }
  if (std::memcmp(bytes.data() + kMagicAt, kMagic, sizeof kMagic) != 0) refuse("it does not start as one");
  const auto version = load<std::uint16_t>(bytes.data() + kVersionAt);
  if (version > kVersion) {
    throw Error(Code::corrupt, "a block of codes has version " + std::to_string(version) +
                                   ", and this isovec reads "
                                   "up to " +
                                   std::to_string(kVersion) + ": open the database with a newer isovec");
  }
  const auto metric = load<std::uint8_t>(bytes.data() + kMetricAt);
  const auto transformed = load<std::uint8_t>(bytes.data() + kTransformedAt);
  const auto dimension = load<std::uint32_t>(bytes.data() + kDimensionAt);
  const auto rows = load<std::uint32_t>(bytes.data() + kRowsAt);
  if (version == 0 || metric < 1 || metric > 3 || transformed > 1) refuse("its header is impossible");
  if (dimension < 1 || dimension > kLargestBlockDimension) {
    refuse("its dimension is " + std::to_string(dimension));
  }
  if (rows < 1 || rows > kBlockRows) refuse("it claims " + std::to_string(rows) + " rows");
  const CodeBlockShape shape{static_cast<CodeMetric>(metric), transformed == 1, dimension, rows};
  if (bytes.size() != shape.bytes()) {
    refuse("it has " + std::to_string(bytes.size()) + " bytes instead of " + std::to_string(shape.bytes()));
  }
  return shape;
}

// The checks below look at the bits of a float32: above those of +infinity are NaN and everything negative.
// They gather the top bits of sums that overflow into it where a number is wrong, which takes no branches.
constexpr std::uint32_t kTop = 0x8000'0000;

/// `wrong` of each number, gathered.
template <class Wrong>
bool none(const PerRow<float>& numbers, Wrong wrong) noexcept {
  std::uint32_t gathered = 0;
  for (const float number : numbers) gathered |= wrong(std::bit_cast<std::uint32_t>(number));
  return (gathered & kTop) == 0;
}

/// NaN, infinite or negative.
constexpr std::uint32_t not_plain(std::uint32_t bits) noexcept {
  return bits | (bits + (kTop - kInfinity));
}
/// NaN or negative.
constexpr std::uint32_t not_bound(std::uint32_t bits) noexcept {
  return bits | (bits + (kTop - kInfinity - 1));
}
/// NaN or infinite.
constexpr std::uint32_t not_finite(std::uint32_t bits) noexcept {
  return (bits & ~kTop) + (kTop - kInfinity);
}

bool all_finite(const std::byte* floats, std::size_t count) noexcept {
  std::uint32_t gathered = 0;
  constexpr std::size_t kStep = 16;
  std::size_t i = 0;
  for (; i + kStep <= count; i += kStep) {
    std::array<std::uint32_t, kStep> bits;
    std::memcpy(bits.data(), floats + 4 * i, sizeof bits);
    for (const std::uint32_t b : bits) gathered |= not_finite(b);
  }
  for (; i < count; ++i) gathered |= not_finite(code_layout::load<std::uint32_t>(floats + 4 * i));
  return (gathered & kTop) == 0;
}

}  // namespace

std::uint64_t code_layout::checksum_of(std::span<const std::byte> block, std::uint64_t seed) noexcept {
  return XXH3_64bits_withSeed(block.data() + kChecked, block.size() - kChecked, seed);
}

std::size_t CodeBlockShape::bytes() const noexcept {
  return code_layout::codes_at(*this) + rows * dimension + core::kCodePadding;
}

CodeBlockView::CodeBlockView(std::span<const std::byte> bytes, Checks checks,
                             const std::optional<CoarseCodes>& coarse)
    : bytes_(bytes), shape_(read_shape(bytes)), coarse_(coarse) {
  using namespace code_layout;
  const std::byte* const data = bytes.data();
  std::memcpy(defined_.words().data(), data + kDefinedAt, sizeof(RowMask));
  center_ = reinterpret_cast<const float*>(data + kCenterAt);
  codes_ = reinterpret_cast<const std::int8_t*>(data + codes_at(shape_));
  if (checks == Checks::none && rows() == kBlockRows) {
    find_rows(data + rows_at(shape_));
  } else {
    copy_rows(data + rows_at(shape_));
  }
  if (checks == Checks::all) check();
}

// Whole arrays, which lie at multiples of 4.
void CodeBlockView::find_rows(const std::byte* from) {
  static constexpr PerRow<float> kZeros{};
  const auto next = [&](auto*& numbers) {
    numbers = reinterpret_cast<std::remove_reference_t<decltype(numbers)>>(from);
    from += sizeof *numbers;
  };
  norms_ = reaches_ = &kZeros;
  next(scales_);
  next(errors_);
  next(terms_);
  if (shape_.has_norms()) next(norms_);
  if (shape_.transformed) next(reaches_);
  next(slots_);
}

void CodeBlockView::copy_rows(const std::byte* from) {
  Numbers& copies = copies_.emplace();
  const auto read = [&](auto& numbers) {
    std::memcpy(numbers.data(), from, 4 * rows());
    from += 4 * rows();
    return &numbers;
  };
  scales_ = read(copies.floats[0]);
  errors_ = read(copies.floats[1]);
  terms_ = read(copies.floats[2]);
  norms_ = shape_.has_norms() ? read(copies.floats[3]) : &copies.floats[3];
  reaches_ = shape_.transformed ? read(copies.floats[4]) : &copies.floats[4];
  slots_ = read(copies.slots);
}

// A row that has no distance has no numbers.
bool CodeBlockView::undefined_rows_are_empty() const noexcept {
  if (defined_ == RowMask::first(rows())) return true;
  std::uint32_t gathered = 0;
  for (std::size_t row = 0; row < rows(); ++row) {
    if (defined_.test(row)) continue;
    for (const PerRow<float>* numbers : {scales_, errors_, terms_, norms_, reaches_})
      gathered |= std::bit_cast<std::uint32_t>((*numbers)[row]);
  }
  return gathered == 0;
}

// Every rule of a block, beside those of its header (read_shape) and those that need its place in a table
// (storage/code_rows.cpp): slots and marks.
void CodeBlockView::check() const {
  if (!((defined_ & ~RowMask::first(rows())) == RowMask())) refuse("it marks rows that it does not have");
  if (!all_finite(bytes_.data() + code_layout::kCenterAt, dimension())) refuse("its center is not finite");
  if (!none(scales(), not_plain) || !none(norms(), not_plain) || !none(reaches(), not_plain) ||
      !none(terms(), not_finite)) {
    refuse("it has a row with an impossible number");
  }
  if (!none(errors(), not_bound)) refuse("it has a row whose error is negative or not a number");
  const bool all_have_distances = shape_.metric != CodeMetric::cosine && !shape_.transformed;
  if (all_have_distances && !(defined_ == RowMask::first(rows()))) refuse("it has a row without a distance");
  if (!undefined_rows_are_empty()) refuse("it has numbers of a row without a distance");
  const auto padding = bytes_.last(core::kCodePadding);
  if (std::any_of(padding.begin(), padding.end(), [](std::byte b) { return b != std::byte{0}; })) {
    refuse("it does not end in zeros");
  }
}

void CodeBlockView::verify(std::uint64_t seed) const {
  const auto stored = code_layout::load<std::uint64_t>(bytes_.data());
  if (code_layout::checksum_of(bytes_, seed) != stored) refuse("its checksum does not match its bytes");
}

}  // namespace isovec::codec
