#pragma once
// NumPy's .npy format, versions 1.0 to 3.0: one array of little-endian floats, read in C or in
// Fortran order, written in C order.

#include <cstddef>
#include <cstdint>
#include <isovec/buffer.hpp>
#include <isovec/checkpoint.hpp>
#include <span>
#include <string_view>

namespace isovec::codec {

enum class NpyType : std::uint8_t { float16, float32, float64 };

/// What the header of a .npy BLOB says, its sizes checked against the bytes.
struct NpyArray {
  NpyType type = NpyType::float32;
  std::size_t rows = 0;  ///< 1 for a 1-d array
  std::size_t columns = 0;
  std::size_t rank = 2;             ///< 1 or 2: the number of axes in the file
  bool by_columns = false;          ///< Fortran order: the elements of a column follow one another
  std::span<const std::byte> data;  ///< rows * columns elements; a view into the BLOB, unaligned

  [[nodiscard]] std::size_t element_bytes() const noexcept;
};

/// Whether bytes start as a .npy file does.
[[nodiscard]] bool is_npy(std::span<const std::byte> blob) noexcept;

/// Reads a header. Throws Error that names what is wrong: no .npy file, another dtype, 0 or more than
/// two axes, bytes that are too few or too many.
[[nodiscard]] NpyArray parse_npy(std::span<const std::byte> blob);

/// Row r as float32 (float64 is rounded to nearest). Requires r < rows, out of `columns`. Throws Error that
/// names the element where one is NaN, infinite or beyond float32.
void read_npy_row(const NpyArray& array, std::size_t r, std::span<float> out);
/// The whole array as float64, row-major.
[[nodiscard]] Buffer<double> read_npy(const NpyArray& array, const Checkpoint& checkpoint = {});

/// The bytes of a .npy BLOB of rows x columns numbers of 4 or 8 bytes.
[[nodiscard]] std::uint64_t npy_bytes(std::uint64_t rows, std::uint64_t columns, std::uint64_t element_bytes);

/// Writes the header to a BLOB of npy_bytes() bytes; what is left of it takes the numbers, 4 or 8 bytes each,
/// which go through to_little_endian() once they are there.
[[nodiscard]] std::span<std::byte> start_npy(std::span<std::byte> blob, std::size_t element_bytes,
                                             std::size_t rows, std::size_t columns);
void to_little_endian(std::span<std::byte> numbers, std::size_t element_bytes) noexcept;

/// A .npy BLOB of rows x columns numbers; write_npy_vector makes a 1-d one.
[[nodiscard]] Buffer<std::byte> write_npy(std::span<const double> values, std::size_t rows,
                                          std::size_t columns);
[[nodiscard]] Buffer<std::byte> write_npy(std::span<const float> values, std::size_t rows,
                                          std::size_t columns);
[[nodiscard]] Buffer<std::byte> write_npy_vector(std::span<const double> values);

}  // namespace isovec::codec
