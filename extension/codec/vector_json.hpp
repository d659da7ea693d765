#pragma once
// Vectors as JSON text: one array of numbers, nothing else, strict RFC 8259 (blanks as it permits them) but
// that the numbers may be JSON5's, which SQLite's JSON functions read; whatever the locale. A number that
// lies between two elements becomes the nearer one (ties to even).

#include <isovec/buffer.hpp>
#include <string>
#include <string_view>

#include "codec/vector_blob.hpp"

namespace isovec::codec {

/// The elements of a JSON array of numbers, such that from_float32() rounds each to `type` as if the number
/// itself were rounded, once. Takes time linear in the text. Throws, with the byte position counted from 0,
/// where the text is anything else, where the array is empty or longer than kMaximumDimension, and where a
/// number is beyond float32; a number nearer to 0 than the least positive float32 rounds to it or to 0.
[[nodiscard]] Buffer<float> parse_vector_json(std::string_view text, ElementType type = ElementType::float32);

/// The vector as a JSON array without blanks. Each number is the shortest that reads back as the same
/// element of the vector's type. Throws where an element is NaN or infinite.
[[nodiscard]] std::string write_vector_json(const VectorView& vector);

}  // namespace isovec::codec
