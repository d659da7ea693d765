#pragma once
// One number of a JSON text to the nearest float32. Most texts go one fast way; see json_float.cpp for why it
// is exact.

namespace isovec::codec {

/// Where a number ended, and whether it could be taken.
struct JsonFloat {
  enum class Status { number, malformed, beyond_float32 };
  float value = 0;
  const char* end = nullptr;  ///< After the number; where the grammar was broken if malformed.
  Status status = Status::malformed;
};

/// Reads the number that starts at `text` and ends before `end` by the grammar of RFC 8259, section 6.
[[nodiscard]] JsonFloat parse_json_float(const char* text, const char* end) noexcept;

}  // namespace isovec::codec
