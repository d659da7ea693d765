#include "codec/json_float.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace isovec::codec {

namespace {

// The powers of ten up to 1e22 are exact in float64, the others rounded once.
constexpr double kPowersOfTen[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,
                                   1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
                                   1e20, 1e21, 1e22, 1e23, 1e24, 1e25, 1e26, 1e27, 1e28, 1e29,
                                   1e30, 1e31, 1e32, 1e33, 1e34, 1e35, 1e36, 1e37, 1e38};
constexpr std::int64_t kLargestPower = 38;
constexpr std::int64_t kExactDigits = 19;  // what an std::uint64_t holds whatever the digits are
constexpr std::int64_t kExponentCap = 1'000'000'000;

bool is_digit(char c) noexcept {
  return static_cast<unsigned char>(c - '0') < 10;
}

/// A number as its text has it: (-1)^negative * digits * 10^exponent.
struct Decimal {
  std::uint64_t digits = 0;      // right where digit_count <= kExactDigits
  std::int64_t digit_count = 0;  // without leading zeros
  std::int64_t exponent = 0;
  bool negative = false;
  bool well_formed = false;
  const char* first = nullptr;       // of the digits, which a point may stand among
  const char* digits_end = nullptr;  // where the exponent begins
  const char* end = nullptr;
};

std::uint64_t load_eight(const char* text) noexcept {
  std::uint64_t bytes;
  std::memcpy(&bytes, text, sizeof(bytes));
  return bytes;
}

// Whether each of eight bytes is '0' to '9': its high nibble is 3, and stays 3 when 6 is added.
bool are_eight_digits(std::uint64_t bytes) noexcept {
  constexpr std::uint64_t kHighNibbles = 0xF0F0F0F0F0F0F0F0;
  constexpr std::uint64_t kThrees = 0x3030303030303030;
  return (bytes & kHighNibbles) == kThrees && ((bytes + 0x0606060606060606) & kHighNibbles) == kThrees;
}

// The number that eight digits spell: neighbours are joined to pairs, pairs to fours, fours to eight. The
// first digit lies in the least significant byte.
std::uint64_t value_of_eight(std::uint64_t bytes) noexcept {
  bytes -= 0x3030303030303030;
  bytes = (bytes * 10 + (bytes >> 8)) & 0x00FF00FF00FF00FF;
  bytes = (bytes * 100 + (bytes >> 16)) & 0x0000FFFF0000FFFF;
  return (bytes * 10000 + (bytes >> 32)) & 0x00000000FFFFFFFF;
}

// Appends the digits at `p` to `value`, which wraps around when they are too many; returns where they end.
const char* scan_digits(const char* p, const char* end, std::uint64_t& value) noexcept {
  while (end - p >= 8) {
    const std::uint64_t bytes = load_eight(p);
    if (!are_eight_digits(bytes)) break;
    value = value * 100'000'000 + value_of_eight(bytes);
    p += 8;
  }
  for (; p != end && is_digit(*p); ++p) value = value * 10 + static_cast<std::uint64_t>(*p - '0');
  return p;
}

// The exponent after 'e', capped: no text is long enough for its digits to make up for one beyond the cap.
const char* scan_exponent(const char* p, const char* end, std::int64_t& exponent) noexcept {
  const bool negative = p != end && *p == '-';
  if (p != end && (*p == '-' || *p == '+')) ++p;
  std::int64_t value = 0;
  for (; p != end && is_digit(*p); ++p) value = std::min(value * 10 + (*p - '0'), kExponentCap);
  exponent += negative ? -value : value;
  return p;
}

std::int64_t count_leading_zeros(const char* p, const char* end) noexcept {
  const char* first = std::find_if(p, end, [](char c) { return c != '0' && c != '.'; });
  return (first - p) - std::count(p, first, '.');
}

Decimal scan(const char* text, const char* end) noexcept {
  Decimal decimal;
  const char* p = text;
  decimal.negative = p != end && *p == '-';
  if (p != end && (*p == '-' || *p == '+')) ++p;
  const char* const digits = p;
  decimal.first = digits;
  p = scan_digits(p, end, decimal.digits);
  decimal.digit_count = p - digits;
  decimal.end = p;
  if (p != digits && *digits == '0' &&
      p - digits > 1) {  // a number ends after a leading zero: "01" is 0 and something else
    return {.digits = 0,
            .digit_count = 1,
            .negative = decimal.negative,
            .well_formed = true,
            .first = digits,
            .digits_end = digits + 1,
            .end = digits + 1};
  }
  if (p != end && *p == '.') {
    const char* const fraction = ++p;
    p = scan_digits(p, end, decimal.digits);
    decimal.end = p;
    decimal.digit_count += p - fraction;
    decimal.exponent = fraction - p;
  }
  if (decimal.digit_count == 0) return decimal;
  decimal.digits_end = p;
  if (decimal.digit_count > kExactDigits) decimal.digit_count -= count_leading_zeros(digits, p);
  if (p != end && (*p == 'e' || *p == 'E')) {
    const char* const mark = p;
    p = scan_exponent(p + 1, end, decimal.exponent);
    decimal.end = p;
    if (!is_digit(p[-1]) || p - mark < 2) return decimal;
  }
  decimal.well_formed = true;
  decimal.end = p;
  return decimal;
}

// digits * 10^exponent in float64 has at most three roundings (of the digits, the power, the product), so it
// is within 3 units of its last place. A float64 of which the bits below float32's are further than that from
// half a float32 unit therefore rounds to the same float32 as the number itself.
bool fast_float(const Decimal& decimal, float& value) noexcept {
  if (decimal.digit_count > kExactDigits || decimal.exponent < -kLargestPower ||
      decimal.exponent > kLargestPower) {
    return false;
  }
  const auto digits = static_cast<double>(decimal.digits);
  const double wide = decimal.exponent < 0 ? digits / kPowersOfTen[-decimal.exponent]
                                           : digits * kPowersOfTen[decimal.exponent];
  constexpr double kLeastNormal = 0x1p-126;
  constexpr double kLarge = 0x1p127;
  if (decimal.digits != 0 && !(wide > kLeastNormal && wide < kLarge)) return false;
  constexpr std::int64_t kHalfUnit = std::int64_t{1} << 28;
  constexpr std::int64_t kBelowFloat = 2 * kHalfUnit - 1;
  constexpr std::int64_t kMargin = 4;
  const std::int64_t low = std::bit_cast<std::int64_t>(wide) & kBelowFloat;
  if (low >= kHalfUnit - kMargin && low <= kHalfUnit + kMargin) return false;
  value = static_cast<float>(decimal.negative ? -wide : wide);
  return true;
}

// Whether rounding `value` to `type` depends on the side on which the number lies that it was rounded from.
bool is_boundary(float value, ElementType type) noexcept {
  const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(value) & 0x7FFFFFFF;
  constexpr std::uint32_t kLeastNormalFloat16 = 113U << 23;  // 2^-14; the middles below lie at any bit
  switch (type) {
    case ElementType::float32:
      break;
    case ElementType::float16:
      if (magnitude < kLeastNormalFloat16) return magnitude != 0 && (magnitude & 0xFFF) == 0;
      return (magnitude & 0x1FFF) == 0x1000;
    case ElementType::bfloat16:
      return (magnitude & 0xFFFF) == 0x8000;
    case ElementType::int8:
    case ElementType::bit:
      return value == std::trunc(value);
  }
  return false;
}

// The digits of a number in order, without leading zeros; 0 for ever behind the last.
class Digits {
 public:
  Digits(const char* p, const char* end) noexcept
      : p_(std::find_if(p, end, [](char c) { return c != '0' && c != '.'; })), end_(end) {}
  [[nodiscard]] bool at_end() noexcept {
    if (p_ != end_ && *p_ == '.') ++p_;
    return p_ == end_;
  }
  [[nodiscard]] char next() noexcept { return at_end() ? '0' : *p_++; }
  [[nodiscard]] std::int64_t count() const noexcept { return (end_ - p_) - std::count(p_, end_, '.'); }

 private:
  const char* p_;
  const char* end_;
};

// The sign of |decimal| - |value|, where value is the float32 nearest to the decimal.
int compare(const Decimal& decimal, float value) noexcept {
  const double magnitude = std::abs(static_cast<double>(value));
  if (decimal.exponent == 0 && decimal.digit_count <= kExactDigits) {
    if (magnitude >= 0x1p64) return -1;
    const auto integer = static_cast<std::uint64_t>(magnitude);
    return decimal.digits < integer ? -1 : decimal.digits > integer ? 1 : 0;
  }
  Digits left(decimal.first, decimal.digits_end);
  if (value == 0) return left.at_end() ? 0 : 1;
  // All digits of a float32 are at most 112.
  constexpr int kMostDigits = 112;
  char exact[kMostDigits + 16];
  const char* const end =
      std::to_chars(exact, exact + sizeof(exact), magnitude, std::chars_format::scientific, kMostDigits).ptr;
  std::int64_t exponent = 0;
  const char* const mark = std::find<const char*>(exact, end, 'e');
  scan_exponent(mark + 1, end, exponent);
  const std::int64_t own = left.count() + decimal.exponent - 1;
  if (own != exponent) return own < exponent ? -1 : 1;
  Digits right(exact, mark);
  while (!left.at_end() || !right.at_end()) {
    const int difference = left.next() - right.next();
    if (difference != 0) return difference < 0 ? -1 : 1;
  }
  return 0;
}

// The next float32 away from 0 or towards it.
float stepped(float value, int direction) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return std::bit_cast<float>(direction > 0 ? bits + 1 : bits - 1);
}

}  // namespace

JsonFloat parse_json_float(const char* text, const char* end, ElementType type) noexcept {
  const Decimal decimal = scan(text, end);
  JsonFloat result{0, decimal.end, JsonFloat::Status::malformed};
  if (!decimal.well_formed) return result;
  result.status = JsonFloat::Status::number;
  if (!fast_float(decimal, result.value)) {
    const char* const first = *text == '+' ? text + 1 : text;  // std::from_chars() takes no plus
    const auto [stop, failure] = std::from_chars(first, decimal.end, result.value);
    if (failure == std::errc::result_out_of_range) {
      const bool large = decimal.digit_count + decimal.exponent > 0;
      if (large) result.status = JsonFloat::Status::beyond_float32;
      result.value = decimal.negative ? -0.0F : 0.0F;
    }
  }
  if (is_boundary(result.value, type)) {
    const int side = compare(decimal, result.value);
    if (side != 0) result.value = stepped(result.value, side);
  }
  return result;
}

}  // namespace isovec::codec
