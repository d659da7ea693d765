#pragma once
// Conversions between the element types of vectors.

#include <span>

#include "codec/vector_blob.hpp"

namespace isovec::codec {

/// Writes the elements as float32, which is exact for every type; a set bit is 1. Requires out.size() ==
/// vector.dimension.
void to_float32(const VectorView& vector, std::span<float> out) noexcept;

/// Throws where a vector of `type` cannot have so many elements, since bits are stored eight to a byte.
void require_whole_bytes(ElementType type, std::size_t dimension);

/// Writes `values` as elements of `type`, to the nearest, ties to even. Requires out.size() ==
/// bytes_of(type, values.size()). Throws, naming the element, where a float16 or bfloat16 would overflow,
/// where an int8 is no integer of -128..127, where a bit is neither 0 nor 1; and where bits are not eight to
/// a byte.
void from_float32(std::span<const float> values, ElementType type, std::span<std::byte> out);

}  // namespace isovec::codec
