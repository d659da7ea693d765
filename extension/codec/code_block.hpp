#pragma once
// A block of codes: up to 256 vectors of one column in a quarter of their bytes. A search reads it instead of
// the vectors and knows of every row how far off it can be (index/block_bounds.hpp). Rows of it may be coded
// anew, against the same center (recode_rows() in code_encoder.hpp); its checksum names what it says.
//
// Coded are the vectors y that the column's distance compares: x / |x| for cosine, x itself for l2 and dot,
// and under a transform z / |z| and z for z = W (x - mean). With c the block's center, row by row
//
//   y = y^ + delta,   y^ = c + scale * code,   |delta| <= error,
//   correction = <c, delta>  (cosine, dot)   or   offset = |y^|^2 - |c|^2  (l2).
//
// All of this holds for any center; the mean of the rows makes the errors small.
//
// The bytes, little-endian, n rows of d dimensions:
//
//   byte 0   u64      checksum: XXH3 of the bytes behind it, under the seed that the block was made with
//        8   4 bytes  "ivcb"
//       12   u16      1, the version of this layout
//       14   u8       metric: 1 cosine, 2 l2, 3 dot
//       15   u8       1 where the rows are transformed, else 0
//       16   u32      d, 1 ... 8,192
//       20   u32      n, 1 ... 256
//       24   32 bytes bit r % 8 of byte r / 8: row r has a distance (a zero vector has no cosine)
//       56   d x f32  center
//            n x f32  scale
//            n x f32  error, rounded up; infinite for a row that float32 cannot describe: it is never left out
//            n x f32  correction, for l2 offset
//            n x f32  |y|, rounded up; only for l2 and dot
//            n x f32  reach, rounded up (see TransformedRows in code_encoder.hpp); only where transformed
//            n x u32  slot of the row
//            n x d    codes, int8, -127 ... 127, row by row
//            64       zeros, so that a kernel may read beyond the last row

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "codec/row_mask.hpp"

namespace isovec::codec {

/// The distance that a block is coded for. The values are stored: do not change them.
enum class CodeMetric : std::uint8_t { cosine = 1, l2 = 2, dot = 3 };

/// The largest dimension of a column of a table.
inline constexpr std::size_t kLargestBlockDimension = 8'192;

/// What the size of a block follows from.
struct CodeBlockShape {
  CodeMetric metric = CodeMetric::cosine;
  bool transformed = false;
  std::size_t dimension = 0;
  std::size_t rows = 0;

  [[nodiscard]] bool has_norms() const noexcept { return metric != CodeMetric::cosine; }
  /// Bytes of a block of this shape.
  [[nodiscard]] std::size_t bytes() const noexcept;
};

/// One number of each row, zeros beyond the last.
template <class T>
using PerRow = std::array<T, kBlockRows>;

/// The codes of a block in four bits, made where a block is kept in memory (coarse_codes.hpp):
///   code = (256 / divisor) (u - 8) + rho,   u = 0 ... 15.
struct CoarseCodes {
  const std::uint8_t* codes;    ///< u, in rows folded at their middle (core::folded_bytes)
  const PerRow<float>* norms;   ///< at least |u - 8| of each row
  const PerRow<float>* errors;  ///< at least |rho|, and 2^-10 more
  double divisor;
};

/// A block read where it lies: its numbers checked, its center and codes left in place. Valid as long as the
/// bytes.
class CodeBlockView {
 public:
  /// Throws Error{corrupt} unless the bytes are one whole block whose numbers are possible. Does not verify
  /// the checksum: that costs as much as a search of the block; see verify().
  [[nodiscard]] static CodeBlockView parse(std::span<const std::byte> bytes) {
    return CodeBlockView(bytes, Checks::all);
  }
  /// The same without the checks, for bytes that parse() has accepted and nothing has changed since, with
  /// their coarse codes. They begin at a multiple of 4.
  [[nodiscard]] static CodeBlockView recall(std::span<const std::byte> bytes,
                                            const std::optional<CoarseCodes>& coarse) {
    return CodeBlockView(bytes, Checks::none, coarse);
  }
  CodeBlockView(const CodeBlockView&) = delete;
  CodeBlockView& operator=(const CodeBlockView&) = delete;

  /// Throws Error{corrupt} unless every byte is as it was written under `seed`.
  void verify(std::uint64_t seed) const;

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }
  [[nodiscard]] const CodeBlockShape& shape() const noexcept { return shape_; }
  [[nodiscard]] std::size_t rows() const noexcept { return shape_.rows; }
  [[nodiscard]] std::size_t dimension() const noexcept { return shape_.dimension; }
  /// The rows that have a distance.
  [[nodiscard]] const RowMask& defined() const noexcept { return defined_; }
  [[nodiscard]] const PerRow<float>& scales() const noexcept { return *scales_; }
  [[nodiscard]] const PerRow<float>& errors() const noexcept { return *errors_; }
  /// Corrections, for l2 offsets.
  [[nodiscard]] const PerRow<float>& terms() const noexcept { return *terms_; }
  /// |y|; zeros for cosine.
  [[nodiscard]] const PerRow<float>& norms() const noexcept { return *norms_; }
  /// Zeros where the block is not transformed.
  [[nodiscard]] const PerRow<float>& reaches() const noexcept { return *reaches_; }
  [[nodiscard]] const PerRow<std::uint32_t>& slots() const noexcept { return *slots_; }
  /// d floats at no particular alignment, for kernels.
  [[nodiscard]] const float* center() const noexcept { return center_; }
  /// rows x d codes and kCodePadding readable bytes.
  [[nodiscard]] const std::int8_t* codes() const noexcept { return codes_; }
  /// Of a block that was recalled, where it has them.
  [[nodiscard]] const std::optional<CoarseCodes>& coarse() const noexcept { return coarse_; }

 private:
  enum class Checks : std::uint8_t { all, none };
  struct Numbers {
    PerRow<float> floats[5];
    PerRow<std::uint32_t> slots;
  };
  CodeBlockView(std::span<const std::byte> bytes, Checks checks,
                const std::optional<CoarseCodes>& coarse = std::nullopt);
  void find_rows(const std::byte* from);
  void copy_rows(const std::byte* from);
  void check() const;
  [[nodiscard]] bool undefined_rows_are_empty() const noexcept;

  std::span<const std::byte> bytes_;
  CodeBlockShape shape_;
  RowMask defined_;
  const PerRow<float>* scales_ = nullptr;
  const PerRow<float>* errors_ = nullptr;
  const PerRow<float>* terms_ = nullptr;
  const PerRow<float>* norms_ = nullptr;
  const PerRow<float>* reaches_ = nullptr;
  const PerRow<std::uint32_t>* slots_ = nullptr;
  const float* center_ = nullptr;
  const std::int8_t* codes_ = nullptr;
  std::optional<CoarseCodes> coarse_;
  std::optional<Numbers> copies_;  // where they cannot be read in place
};

}  // namespace isovec::codec
