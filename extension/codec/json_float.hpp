#pragma once
// One number of a JSON text to the nearest float32, or to a float32 that rounds as the number does. Most
// texts go one fast way; see json_float.cpp for why it is exact.

#include "codec/vector_type.hpp"

namespace isovec::codec {

/// Where a number ended, and whether it could be taken.
struct JsonFloat {
  enum class Status { number, malformed, beyond_float32 };
  float value = 0;
  const char* end = nullptr;  ///< After the number; where the grammar was broken if malformed.
  Status status = Status::malformed;
};

/// Reads the number that starts at `text` and ends before `end` by the grammar of RFC 8259, section 6, with
/// what JSON5 adds but for hexadecimal numbers, NaN and infinity: "+1", ".5", "5." The value is the nearest
/// float32 (ties to even) unless that would be rounded to `type` otherwise than the number itself: at the
/// middle of two float16 or bfloat16, or on an integer which the number is not. Then it is the next float32
/// on the number's side, so that codec::from_float32() makes of it what one rounding of the number gives.
[[nodiscard]] JsonFloat parse_json_float(const char* text, const char* end,
                                         ElementType type = ElementType::float32) noexcept;

}  // namespace isovec::codec
