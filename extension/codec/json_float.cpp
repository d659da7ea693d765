#include "codec/json_float.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
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
  if (decimal.negative) ++p;
  const char* const digits = p;
  p = scan_digits(p, end, decimal.digits);
  decimal.digit_count = p - digits;
  decimal.end = p;
  if (p == digits) return decimal;
  if (*digits == '0' && p - digits > 1) {  // a number ends after a leading zero: "01" is 0 and something else
    return {.digits = 0, .negative = decimal.negative, .well_formed = true, .end = digits + 1};
  }
  if (p != end && *p == '.') {
    const char* const fraction = ++p;
    p = scan_digits(p, end, decimal.digits);
    decimal.end = p;
    if (p == fraction) return decimal;
    decimal.digit_count += p - fraction;
    decimal.exponent = fraction - p;
  }
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

}  // namespace

JsonFloat parse_json_float(const char* text, const char* end) noexcept {
  const Decimal decimal = scan(text, end);
  JsonFloat result{0, decimal.end, JsonFloat::Status::malformed};
  if (!decimal.well_formed) return result;
  result.status = JsonFloat::Status::number;
  if (fast_float(decimal, result.value)) return result;
  const auto [stop, failure] = std::from_chars(text, decimal.end, result.value);
  if (failure == std::errc::result_out_of_range) {
    const bool large = decimal.digit_count + decimal.exponent > 0;
    if (large) result.status = JsonFloat::Status::beyond_float32;
    result.value = decimal.negative ? -0.0F : 0.0F;
  }
  return result;
}

}  // namespace isovec::codec
