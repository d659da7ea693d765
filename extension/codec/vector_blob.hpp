#pragma once
// Vectors as bytes. A vector BLOB is its elements one after the other, little-endian, without a header:
// float32, float16 and bfloat16 as IEEE bits, int8 in two's complement, bits eight to a byte with the first
// element in the least significant bit. What the elements are is told by the SQL subtype or by a column's
// declaration.

#include <bit>
#include <isovec/error.hpp>
#include <span>
#include <string>

#include "codec/vector_type.hpp"

namespace isovec::codec {

static_assert(std::endian::native == std::endian::little, "isovec reads vector BLOBs in place");

/// A vector where it lies. The bytes may be unaligned: hand the pointers below to kernels, or copy first.
struct VectorView {
  ElementType type = ElementType::float32;
  std::size_t dimension = 0;
  const std::byte* data = nullptr;

  [[nodiscard]] std::size_t size() const noexcept { return bytes_of(type, dimension); }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data, size()}; }
  /// The elements for a kernel of their type, which loads without a need for alignment.
  [[nodiscard]] const float* float32() const noexcept { return reinterpret_cast<const float*>(data); }
  [[nodiscard]] const std::uint16_t* half() const noexcept {
    return reinterpret_cast<const std::uint16_t*>(data);
  }
  [[nodiscard]] const std::int8_t* int8() const noexcept {
    return reinterpret_cast<const std::int8_t*>(data);
  }
  [[nodiscard]] const std::uint8_t* bits() const noexcept {
    return reinterpret_cast<const std::uint8_t*>(data);
  }
};

/// The view of a BLOB as a vector of `type`. Throws where it is empty, no whole number of elements, or above
/// kMaximumDimension. The elements are not looked at: see require_finite().
[[nodiscard]] inline VectorView view_vector(std::span<const std::byte> blob, ElementType type);

/// Index of the first NaN or infinity, the dimension where there is none.
[[nodiscard]] std::size_t first_nonfinite(const VectorView& vector) noexcept;
/// Throws where an element is NaN or infinite, naming the first such.
void require_finite(const VectorView& vector);

/// One element as a number; exact. Requires index < dimension.
[[nodiscard]] float element(const VectorView& vector, std::size_t index) noexcept;

/// What the bytes of `vector`, read as float32, may have been meant to be beside `other`, as the end of a
/// sentence ("; a BLOB of 192 bytes is also 24 float64 numbers: ..."); empty where nothing fits.
[[nodiscard]] std::string likely_cause(const VectorView& vector, const VectorView& other);
/// "types differ: float32 and int8: ..." or "dimensions differ: 768 and 384 ..." with what may have caused
/// it.
[[noreturn]] void throw_shapes_differ(const VectorView& a, const VectorView& b);
/// Throws unless both have the same type and dimension.
inline void require_same_shape(const VectorView& a, const VectorView& b) {
  if (a.type != b.type || a.dimension != b.dimension) throw_shapes_differ(a, b);
}

/// Throws what view_vector() has to say about a BLOB of `size` bytes that is no vector of `type`.
[[noreturn]] void throw_no_vector(std::size_t size, ElementType type);

// Here because a query comes through it for every row.
inline VectorView view_vector(std::span<const std::byte> blob, ElementType type) {
  const std::size_t bits = blob.size() * 8;
  const std::size_t dimension = type == ElementType::float32 ? bits / 32
                                : type == ElementType::int8  ? bits / 8
                                : type == ElementType::bit   ? bits
                                                             : bits / 16;
  if (dimension - 1 >= kMaximumDimension || bytes_of(type, dimension) != blob.size()) {
    throw_no_vector(blob.size(), type);
  }
  return {type, dimension, blob.data()};
}

}  // namespace isovec::codec
