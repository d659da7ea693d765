#include "codec/coarse_codes.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "codec/code_block_layout.hpp"
#include "core/code_kernels.hpp"

namespace isovec::codec {
namespace {

/// u - 8 = code * divisor / 256 to the nearest integer, within -8 ... 7. A small divisor leaves the largest
/// codes whole and is coarse with the others; a large one is fine and cuts the largest.
constexpr std::int16_t kDivisors[] = {16, 20, 26, 32, 39, 51};

/// The rows of a block that its divisor is chosen by: every so many.
constexpr std::size_t kSampled = 16;

/// What precedes the block in memory. The block lies so that its codes begin at a multiple of 64.
struct Header {
  std::uint64_t block_at;
  std::uint64_t block_bytes;
  double divisor;
};

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

std::int16_t coarse(std::int8_t code, std::int16_t divisor) noexcept {
  const auto nearest = static_cast<std::int16_t>((code * divisor + 128) >> 8);
  return std::min<std::int16_t>(7, std::max<std::int16_t>(-8, nearest));
}

struct Squares {
  std::uint64_t norm = 0;   ///< of u - 8
  std::uint64_t error = 0;  ///< of divisor * rho
};

/// Sums of a row, in steps whose 32-bit sums cannot overflow: an error is at most 51 * 128 + 256 * 8.
Squares squares_of(const std::int8_t* codes, std::size_t d, std::int16_t divisor) noexcept {
  constexpr std::size_t kStep = 32;
  Squares squares;
  for (std::size_t begin = 0; begin < d; begin += kStep) {
    const std::size_t count = std::min(kStep, d - begin);
    std::uint32_t norm = 0;
    std::uint32_t error = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::int16_t u = coarse(codes[begin + i], divisor);
      const auto left = static_cast<std::int16_t>(divisor * codes[begin + i] - 256 * u);
      norm += static_cast<std::uint32_t>(u * u);
      error += static_cast<std::uint32_t>(left * left);
    }
    squares.norm += norm;
    squares.error += error;
  }
  return squares;
}

std::int16_t choose_divisor(const CodeBlockView& block) noexcept {
  const std::size_t d = block.dimension();
  std::int16_t best = kDivisors[0];
  double least = std::numeric_limits<double>::infinity();
  for (const std::int16_t divisor : kDivisors) {
    double error = 0;
    for (std::size_t row = 0; row < block.rows(); row += kSampled) {
      const Squares squares = squares_of(block.codes() + row * d, d, divisor);
      error += std::sqrt(static_cast<double>(squares.error)) / divisor;
    }
    if (error >= least) continue;
    least = error;
    best = divisor;
  }
  return best;
}

void fold_row(const std::int8_t* codes, std::size_t d, std::int16_t divisor, std::uint8_t* to) noexcept {
  const std::size_t half = core::folded_bytes(d);
  const auto nibble = [&](std::size_t i) { return static_cast<unsigned>(coarse(codes[i], divisor) + 8); };
  for (std::size_t i = 0; i < d - half; ++i) {
    to[i] = static_cast<std::uint8_t>(nibble(i) | nibble(half + i) << 4);
  }
  if (half > d - half) to[half - 1] = static_cast<std::uint8_t>(nibble(half - 1));
}

/// Not below the root of an exact sum.
float root(std::uint64_t squares) noexcept {
  return static_cast<float>(std::sqrt(static_cast<double>(squares)) * (1 + 0x1p-22));
}

}  // namespace

std::size_t kept_bytes(const CodeBlockShape& shape) noexcept {
  return block_at(shape) + shape.bytes();
}

void keep_block(const CodeBlockView& block, std::span<std::byte> to) noexcept {
  const CodeBlockShape& shape = block.shape();
  const std::size_t d = shape.dimension;
  const std::int16_t divisor = choose_divisor(block);
  const Header header{block_at(shape), shape.bytes(), static_cast<double>(divisor)};
  PerRow<float> norms{};
  PerRow<float> errors{};
  auto* const coarse = reinterpret_cast<std::uint8_t*>(to.data() + kCoarseAt);
  const std::size_t row_bytes = core::folded_bytes(d);
  for (std::size_t row = 0; row < shape.rows; ++row) {
    const std::int8_t* const codes = block.codes() + row * d;
    const Squares squares = squares_of(codes, d, divisor);
    norms[row] = root(squares.norm);
    errors[row] = root(squares.error) / static_cast<float>(divisor) * (1 + 0x1p-22F) + 0x1p-10F;
    fold_row(codes, d, divisor, coarse + row * row_bytes);
  }
  std::memcpy(to.data(), &header, sizeof header);
  std::memcpy(to.data() + kNormsAt, norms.data(), sizeof norms);
  std::memcpy(to.data() + kErrorsAt, errors.data(), sizeof errors);
  std::memset(to.data() + kCoarseAt + shape.rows * row_bytes, 0,
              header.block_at - kCoarseAt - shape.rows * row_bytes);
  std::memcpy(to.data() + header.block_at, block.bytes().data(), block.bytes().size());
}

CodeBlockView recall_block(std::span<const std::byte> kept) noexcept {
  Header header;
  std::memcpy(&header, kept.data(), sizeof header);
  const CoarseCodes coarse{reinterpret_cast<const std::uint8_t*>(kept.data() + kCoarseAt),
                           reinterpret_cast<const PerRow<float>*>(kept.data() + kNormsAt),
                           reinterpret_cast<const PerRow<float>*>(kept.data() + kErrorsAt), header.divisor};
  return CodeBlockView::recall(kept.subspan(header.block_at, header.block_bytes), coarse);
}

}  // namespace isovec::codec
