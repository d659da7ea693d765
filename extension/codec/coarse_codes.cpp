#include "codec/coarse_codes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>

#include "codec/code_block_layout.hpp"
#include "core/code_kernels.hpp"
#include "core/kernels.hpp"

namespace isovec::codec {
namespace {

/// v = u - 8 = code * divisor / 256 to the nearest integer, within -8 ... 7. A small divisor leaves the
/// largest codes whole and is coarse with the others; a large one is fine and cuts the largest.
constexpr std::int16_t kDivisors[] = {16, 20, 26, 32, 39, 51};

/// The rows of a block that its divisor is chosen by: every so many.
constexpr std::size_t kSampled = 32;

/// What precedes the block in memory. The block lies so that its codes begin at a multiple of 64.
struct Header {
  std::uint64_t block_at;
  std::uint64_t block_bytes;
  double divisor;  ///< 0 where there are no coarse codes yet
};

Header header_of(std::span<const std::byte> kept) noexcept {
  Header header;
  std::memcpy(&header, kept.data(), sizeof header);
  return header;
}

constexpr std::size_t aligned(std::size_t bytes) noexcept {
  return (bytes + kKeptAlignment - 1) / kKeptAlignment * kKeptAlignment;
}

constexpr std::size_t kNormsAt = aligned(sizeof(Header));
constexpr std::size_t kErrorsAt = kNormsAt + sizeof(PerRow<float>);
constexpr std::size_t kCoarseAt = kErrorsAt + sizeof(PerRow<float>);

std::size_t block_at(const CodeBlockShape& shape) noexcept {
  const std::size_t coarse_end =
      kCoarseAt + shape.rows * core::folded_bytes(shape.dimension) + core::kCodePadding;
  const std::size_t codes = code_layout::codes_at(shape);
  return aligned(coarse_end + codes) - codes;
}

std::int8_t coarse(std::int8_t code, std::int16_t divisor) noexcept {
  const auto nearest = static_cast<std::int16_t>(static_cast<std::int16_t>(code * divisor + 128) >> 8);
  return static_cast<std::int8_t>(std::min<std::int16_t>(7, std::max<std::int16_t>(-8, nearest)));
}

/// The divisor that leaves the least of the sampled rows, which have one largest code.
std::int16_t choose_divisor(const CodeBlockView& block) noexcept {
  std::array<std::uint32_t, 256> counts{};
  for (std::size_t row = 0; row < block.rows(); row += kSampled) {
    const std::int8_t* const codes = block.codes() + row * block.dimension();
    for (std::size_t i = 0; i < block.dimension(); ++i) ++counts[static_cast<std::uint8_t>(codes[i])];
  }
  std::int16_t best = kDivisors[0];
  double least = std::numeric_limits<double>::infinity();
  for (const std::int16_t divisor : kDivisors) {
    double error = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const auto code = static_cast<std::int8_t>(i);
      const double left = code - 256.0 / divisor * coarse(code, divisor);
      error += counts[i] * left * left;
    }
    if (error >= least) continue;
    least = error;
    best = divisor;
  }
  return best;
}

/// Folds nibbles v + 8.
void fold_row(const std::int8_t* v, std::size_t d, std::uint8_t* to) noexcept {
  const std::size_t half = core::folded_bytes(d);
  const std::int8_t* const second = v + half;
  for (std::size_t i = 0; i < d - half; ++i) {
    to[i] = static_cast<std::uint8_t>((v[i] + 8) | (second[i] + 8) << 4);
  }
  if (half > d - half) to[half - 1] = static_cast<std::uint8_t>(v[half - 1] + 8);
}

/// Not below the root of an exact sum.
float root(std::int64_t squares) noexcept {
  return static_cast<float>(std::sqrt(static_cast<double>(squares)) * (1 + 0x1p-22));
}

}  // namespace

std::size_t kept_bytes(const CodeBlockShape& shape) noexcept {
  return block_at(shape) + shape.bytes();
}

void keep_block(const CodeBlockView& block, std::span<std::byte> to) noexcept {
  const Header header{block_at(block.shape()), block.bytes().size(), 0};
  std::memcpy(to.data(), &header, sizeof header);
  std::memcpy(to.data() + header.block_at, block.bytes().data(), block.bytes().size());
}

void add_coarse_codes(std::span<std::byte> kept) noexcept {
  if (header_of(kept).divisor != 0) return;
  const CodeBlockView block = recall_block(kept);
  const std::size_t d = block.dimension();
  const std::int16_t divisor = choose_divisor(block);
  const std::int64_t scale = divisor;
  const core::Int8Kernels& integers = core::kernels().int8;
  PerRow<float> norms{};
  PerRow<float> errors{};
  auto* const nibbles = reinterpret_cast<std::uint8_t*>(kept.data() + kCoarseAt);
  const std::size_t row_bytes = core::folded_bytes(d);
  std::array<std::int8_t, kLargestBlockDimension> v;
  for (std::size_t row = 0; row < block.rows(); ++row) {
    const std::int8_t* const codes = block.codes() + row * d;
    for (std::size_t i = 0; i < d; ++i) v[i] = coarse(codes[i], divisor);
    const core::IntegerDotAndNorm with_v = integers.dot_and_squared_norm(codes, v.data(), d);
    // |divisor code - 256 v|^2
    const std::int64_t error = scale * scale * integers.squared_norm(codes, d) - 512 * scale * with_v.dot +
                               65'536 * with_v.squared_norm;
    norms[row] = root(with_v.squared_norm);
    errors[row] = root(error) / static_cast<float>(divisor) * (1 + 0x1p-22F) + 0x1p-10F;
    fold_row(v.data(), d, nibbles + row * row_bytes);
  }
  std::memcpy(kept.data() + kNormsAt, norms.data(), sizeof norms);
  std::memcpy(kept.data() + kErrorsAt, errors.data(), sizeof errors);
  const std::size_t coarse_bytes = block.rows() * row_bytes;
  std::memset(kept.data() + kCoarseAt + coarse_bytes, 0, core::kCodePadding);
  const auto chosen = static_cast<double>(divisor);
  std::memcpy(kept.data() + offsetof(Header, divisor), &chosen, sizeof chosen);
}

CodeBlockView recall_block(std::span<const std::byte> kept) noexcept {
  const Header header = header_of(kept);
  const std::span<const std::byte> block = kept.subspan(header.block_at, header.block_bytes);
  if (header.divisor == 0) return CodeBlockView::recall(block, std::nullopt);
  const CoarseCodes coarse{reinterpret_cast<const std::uint8_t*>(kept.data() + kCoarseAt),
                           reinterpret_cast<const PerRow<float>*>(kept.data() + kNormsAt),
                           reinterpret_cast<const PerRow<float>*>(kept.data() + kErrorsAt), header.divisor};
  return CodeBlockView::recall(block, coarse);
}

}  // namespace isovec::codec
