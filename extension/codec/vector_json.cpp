#include "codec/vector_json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <isovec/error.hpp>

#include "codec/json_float.hpp"
#include "core/kernels.hpp"

namespace isovec::codec {

namespace {

[[noreturn]] void throw_malformed(std::string_view text, const char* at, const char* expected) {
  const auto position = static_cast<std::size_t>(at - text.data());
  std::string message = std::string("not a JSON array of numbers: expected ") + expected + " at byte " +
                        std::to_string(position);
  if (position >= text.size()) {
    message += ", where the text ends";
  } else if (*at >= ' ' && *at <= '~') {
    message += std::string(", found '") + *at + "'";
  } else {
    char hexadecimal[8];
    std::snprintf(hexadecimal, sizeof(hexadecimal), "0x%02X", static_cast<unsigned char>(*at));
    message += std::string(", found the byte ") + hexadecimal;
  }
  throw Error(Code::invalid_argument, message);
}

const char* skip_blanks(const char* p, const char* end) noexcept {
  while (p != end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')) ++p;
  return p;
}

// One number, stored at values[index]; returns where it ends.
const char* parse_element(std::string_view text, const char* p, ElementType type, Buffer<float>& values,
                          std::size_t index) {
  const JsonFloat number = parse_json_float(p, text.data() + text.size(), type);
  if (number.status == JsonFloat::Status::malformed) {
    throw_malformed(text, number.end, number.end == p ? "a number" : "a digit");
  }
  if (index == kMaximumDimension) {
    throw Error(Code::too_big,
                "the JSON array has more than " + std::to_string(kMaximumDimension) + " elements");
  }
  if (number.status == JsonFloat::Status::beyond_float32) {
    throw Error(Code::invalid_argument, "element " + std::to_string(index) + " at byte " +
                                            std::to_string(p - text.data()) +
                                            " is beyond float32, whose largest number is 3.4028235e38");
  }
  values[index] = number.value;
  return number.end;
}

// The shortest decimal that rounds to `value` in a type that `digits` significant digits tell apart.
char* write_half(char* first, char* last, float value, ElementType type, int digits) noexcept {
  const core::HalfKernels& half =
      type == ElementType::float16 ? core::kernels().float16 : core::kernels().bfloat16;
  for (int precision = 1; precision < digits; ++precision) {
    char* end = std::to_chars(first, last, value, std::chars_format::general, precision).ptr;
    float decimal = parse_json_float(first, end, type).value;
    std::uint16_t bits;
    half.from_float(&decimal, 1, &bits);
    half.to_float(&bits, 1, &decimal);
    if (decimal == value) return end;
  }
  return std::to_chars(first, last, value, std::chars_format::general, digits).ptr;
}

char* write_element(char* first, char* last, const VectorView& vector, std::size_t index) noexcept {
  const float value = element(vector, index);
  switch (vector.type) {
    case ElementType::float32:
      return std::to_chars(first, last, value).ptr;
    case ElementType::float16:
      return write_half(first, last, value, vector.type, 5);
    case ElementType::bfloat16:
      return write_half(first, last, value, vector.type, 4);
    case ElementType::int8:
    case ElementType::bit:
      break;
  }
  return std::to_chars(first, last, static_cast<int>(value)).ptr;
}

}  // namespace

Buffer<float> parse_vector_json(std::string_view text, ElementType type) {
  const char* const end = text.data() + text.size();
  const char* p = skip_blanks(text.data(), end);
  if (p == end || *p != '[') throw_malformed(text, p, "'['");
  p = skip_blanks(p + 1, end);
  if (p != end && *p == ']') {
    throw Error(Code::invalid_argument, "the JSON array is empty: a vector has at least one element");
  }
  Buffer<float> values(std::min(text.size() / 2, kMaximumDimension));  // "1," is two bytes an element
  std::size_t count = 0;
  for (;; ++count) {
    p = skip_blanks(parse_element(text, p, type, values, count), end);
    if (p == end || *p != ',') break;
    p = skip_blanks(p + 1, end);
  }
  if (p == end || *p != ']') throw_malformed(text, p, "',' or ']'");
  p = skip_blanks(p + 1, end);
  if (p != end) throw_malformed(text, p, "the end of the text");
  values.resize(count + 1);
  return values;
}

std::string write_vector_json(const VectorView& vector) {
  require_finite(vector);
  constexpr std::size_t kLongest = 16;  // "-1.1754944e-38", and a comma
  std::string text(vector.dimension * kLongest + 2, '\0');
  char* p = text.data();
  char* const last = p + text.size();
  *p++ = '[';
  for (std::size_t i = 0; i < vector.dimension; ++i) {
    if (i > 0) *p++ = ',';
    p = write_element(p, last, vector, i);
  }
  *p++ = ']';
  text.resize(static_cast<std::size_t>(p - text.data()));
  return text;
}

}  // namespace isovec::codec
