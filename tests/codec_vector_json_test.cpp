#include <bit>
#include <clocale>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <isovec/buffer.hpp>
#include <random>

#include "catch.hpp"
#include "codec/json_float.hpp"
#include "codec/vector_convert.hpp"
#include "codec/vector_json.hpp"

namespace {

using isovec::Error;
using isovec::codec::ElementType;
using isovec::codec::JsonFloat;
using isovec::codec::parse_vector_json;
using isovec::codec::VectorView;
using isovec::codec::write_vector_json;

VectorView view_of(const isovec::Buffer<float>& values) {
  return {ElementType::float32, values.size(), reinterpret_cast<const std::byte*>(values.data())};
}

float random_finite(std::mt19937_64& random) {
  for (;;) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (std::isfinite(value)) return value;
  }
}

std::string message_of(const std::string& text) {
  try {
    static_cast<void>(parse_vector_json(text));
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// glibc's strtof rounds correctly, so it is an independent reference.
void check_number(const std::string& text) {
  const JsonFloat number = isovec::codec::parse_json_float(text.data(), text.data() + text.size());
  const float expected = std::strtof(text.c_str(), nullptr);
  CAPTURE(text, number.value, expected);
  if (std::isinf(expected)) {
    REQUIRE(number.status == JsonFloat::Status::beyond_float32);
    return;
  }
  REQUIRE(number.status == JsonFloat::Status::number);
  REQUIRE(number.end == text.data() + text.size());
  REQUIRE(std::bit_cast<std::uint32_t>(number.value) == std::bit_cast<std::uint32_t>(expected));
}

std::string digits(std::mt19937_64& random, std::size_t count) {
  std::string text;
  while (text.size() < count) text += static_cast<char>('0' + random() % 10);
  return text;
}

}  // namespace

TEST_CASE("a JSON number becomes the nearest float32, whatever its length and exponent", "[codec][json]") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 200'000; ++i) {
    std::string text = random() % 2 != 0 ? "-" : "";
    text += random() % 2 != 0 ? "0" : std::to_string(1 + random() % 99'999);
    if (random() % 4 != 0) text += "." + digits(random, 1 + random() % 24);
    if (random() % 2 != 0) text += (random() % 2 != 0 ? "e-" : "E+") + std::to_string(random() % 50);
    check_number(text);
  }
}

TEST_CASE("a decimal at or beside the middle of two float32 rounds to nearest, ties to even",
          "[codec][json]") {
  std::mt19937_64 random(2);
  for (int i = 0; i < 20'000; ++i) {
    const float low = std::abs(random_finite(random));
    const float high = std::nextafterf(low, INFINITY);
    if (std::isinf(high)) continue;
    const double middle = (static_cast<double>(low) + static_cast<double>(high)) / 2;  // exact
    char text[200];
    std::snprintf(text, sizeof(text), "%.120g", middle);  // all digits of the middle
    check_number(text);
    std::snprintf(text, sizeof(text), "%.17g", std::nextafter(middle, 0.0));
    check_number(text);
    std::snprintf(text, sizeof(text), "%.17g", std::nextafter(middle, 1e300));
    check_number(text);
  }
}

TEST_CASE("a number's limits: least, largest, beyond", "[codec][json]") {
  for (const char* text : {"0",
                           "-0",
                           "-0.0",
                           "0e5",
                           "0e-999999999999",
                           "1e-45",
                           "7e-46",
                           "7.1e-46",
                           "1e-400",
                           "1.1754943e-38",
                           "3.4028235e38",
                           "3.4028235677973366e38",
                           "3.40282356779733661637e38",
                           "340282350000000000000000000000000000000",
                           "1e39",
                           "-1e39",
                           "1e400",
                           "1e99999999999999999999",
                           "123456789012345678901234567890e-30",
                           "0.0000000000000000000000000000000000000000000000000000000000001e61",
                           "1E5",
                           "1.5e+3"}) {
    check_number(text);
  }
  CHECK(std::signbit(parse_vector_json("[-0]")[0]));
  CHECK(message_of("[1, 1e39]") ==
        "element 1 at byte 4 is beyond float32, whose largest number is 3.4028235e38");
}

TEST_CASE("every float32 is written as the shortest decimal that reads back as itself", "[codec][json]") {
  std::mt19937_64 random(3);
  isovec::Buffer<float> values = {0.0F, -0.0F, 1.0F, 0.1F, 1e-45F, 3.4028235e38F, 16777216.0F, 1e10F, -2.5F};
  while (values.size() < 20'000) values.push_back(random_finite(random));
  const std::string text = write_vector_json(view_of(values));
  const isovec::Buffer<float> again = parse_vector_json(text);
  REQUIRE(again.size() == values.size());
  CHECK(std::memcmp(again.data(), values.data(), values.size() * sizeof(float)) == 0);
  for (const float value : values) {
    const std::string one = write_vector_json(view_of({value}));
    int shortest = 1;
    char buffer[64];
    for (; shortest < 9; ++shortest) {
      std::snprintf(buffer, sizeof(buffer), "%.*g", shortest, static_cast<double>(value));
      if (std::strtof(buffer, nullptr) == value) break;
    }
    std::snprintf(buffer, sizeof(buffer), "%.*e", shortest - 1, static_cast<double>(value));
    CAPTURE(one, buffer);
    REQUIRE(one.size() - 2 <= std::strlen(buffer));
    REQUIRE(std::strtof(one.c_str() + 1, nullptr) == value);
  }
}

TEST_CASE("every float16 and bfloat16 survives JSON, and in few digits", "[codec][json]") {
  const ElementType type = GENERATE(ElementType::float16, ElementType::bfloat16);
  const std::size_t digits_that_tell_apart = type == ElementType::float16 ? 5 : 4;
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const VectorView one{type, 1, reinterpret_cast<const std::byte*>(&half)};
    if (isovec::codec::first_nonfinite(one) == 0) continue;
    const std::string text = write_vector_json(one);
    std::uint16_t again = 0;
    isovec::codec::from_float32(parse_vector_json(text, type), type,
                                {reinterpret_cast<std::byte*>(&again), 2});
    CAPTURE(bits, text);
    REQUIRE(again == half);
    const double number = std::strtod(text.c_str() + 1, nullptr);
    char few[64];
    std::snprintf(few, sizeof(few), "%.*g", static_cast<int>(digits_that_tell_apart), number);
    REQUIRE(std::strtod(few, nullptr) == number);
  }
}

TEST_CASE("what is no JSON array of numbers is refused with the byte where it goes wrong", "[codec][json]") {
  struct Case {
    std::string text;
    std::string message;
  };
  const std::string prefix = "not a JSON array of numbers: expected ";
  const isovec::Buffer<Case> cases = {
      {"", prefix + "'[' at byte 0, where the text ends"},
      {"hello", prefix + "'[' at byte 0, found 'h'"},
      {"1", prefix + "'[' at byte 0, found '1'"},
      {"{}", prefix + "'[' at byte 0, found '{'"},
      {"\xEF\xBB\xBF[1]", prefix + "'[' at byte 0, found the byte 0xEF"},
      {"[", prefix + "a number at byte 1, where the text ends"},
      {"[]", "the JSON array is empty: a vector has at least one element"},
      {" [ ] ", "the JSON array is empty: a vector has at least one element"},
      {"[1,2", prefix + "',' or ']' at byte 4, where the text ends"},
      {"[1 2]", prefix + "',' or ']' at byte 3, found '2'"},
      {"[1,,2]", prefix + "a number at byte 3, found ','"},
      {"[1,2,]", prefix + "a number at byte 5, found ']'"},
      {"[,1]", prefix + "a number at byte 1, found ','"},
      {"[1]x", prefix + "the end of the text at byte 3, found 'x'"},
      {"[1][2]", prefix + "the end of the text at byte 3, found '['"},
      {"[[1]]", prefix + "a number at byte 1, found '['"},
      {"[null]", prefix + "a number at byte 1, found 'n'"},
      {"[NaN]", prefix + "a number at byte 1, found 'N'"},
      {"[Infinity]", prefix + "a number at byte 1, found 'I'"},
      {"[+Infinity]", prefix + "a digit at byte 2, found 'I'"},
      {"[-Infinity]", prefix + "a digit at byte 2, found 'I'"},
      {"[\"1\"]", prefix + "a number at byte 1, found '\"'"},
      {"[+]", prefix + "a digit at byte 2, found ']'"},
      {"[.]", prefix + "a digit at byte 2, found ']'"},
      {"[-.]", prefix + "a digit at byte 3, found ']'"},
      {"[.e5]", prefix + "a digit at byte 2, found 'e'"},
      {"[+-1]", prefix + "a digit at byte 2, found '-'"},
      {"[5..]", prefix + "',' or ']' at byte 3, found '.'"},
      {"[01]", prefix + "',' or ']' at byte 2, found '1'"},
      {"[-01]", prefix + "',' or ']' at byte 3, found '1'"},
      {"[1e]", prefix + "a digit at byte 3, found ']'"},
      {"[1e+]", prefix + "a digit at byte 4, found ']'"},
      {"[1e+-2]", prefix + "a digit at byte 4, found '-'"},
      {"[-]", prefix + "a digit at byte 2, found ']'"},
      {"[0x10]", prefix + "',' or ']' at byte 2, found 'x'"},
      {"[1,5]e", prefix + "the end of the text at byte 5, found 'e'"},
      {std::string("[1\0]", 4), prefix + "',' or ']' at byte 2, found the byte 0x00"},
      {std::string("[1]\0", 4), prefix + "the end of the text at byte 3, found the byte 0x00"},
      {"[1\v]", prefix + "',' or ']' at byte 2, found the byte 0x0B"},
  };
  for (const Case& bad : cases) {
    CAPTURE(bad.text);
    CHECK(message_of(bad.text) == bad.message);
  }
}

TEST_CASE("the numbers of JSON5 are read, but for hexadecimal ones", "[codec][json]") {
  CHECK(parse_vector_json("[.5,-.25,+1,5.,-5.,+.5e1,1.e2,+0.]") ==
        isovec::Buffer<float>{0.5F, -0.25F, 1, 5, -5, 5, 100, 0});
  CHECK(parse_vector_json(
            "[+123456789012345678901234567890.e-30,.000000000000000000000000000000000000001e39]") ==
        isovec::Buffer<float>{0.12345679F, 1});
}

TEST_CASE("blanks are those of RFC 8259", "[codec][json]") {
  CHECK(parse_vector_json(" \t\r\n[ 1 ,\n2\t,\r3 ] \n") == isovec::Buffer<float>{1, 2, 3});
}

TEST_CASE("long texts take linear time and end in one error", "[codec][json]") {
  CHECK(message_of(std::string(100'000, '[')) ==
        "not a JSON array of numbers: expected a number at byte 1, found '['");
  const std::string many_digits = "[0." + std::string(10'000'000, '3') + "]";
  CHECK(parse_vector_json(many_digits) == isovec::Buffer<float>{1.0F / 3.0F});
  const std::string large = "[" + std::string(1'000'000, '9') + "]";
  CHECK(message_of(large) == "element 0 at byte 1 is beyond float32, whose largest number is 3.4028235e38");
  std::string most = "[0";
  for (int i = 1; i < 65'535; ++i) most += ",0";
  CHECK(parse_vector_json(most + "]").size() == 65'535);
  CHECK(message_of(most + ",0]") == "the JSON array has more than 65535 elements");
}

TEST_CASE("a decimal comma of the locale changes nothing", "[codec][json]") {
  bool found = false;
  for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "vi_VN.UTF-8", "vi_VN"}) {
    if (std::setlocale(LC_ALL, name) == nullptr) continue;
    found = true;
    CHECK(parse_vector_json("[1.5,2e-3]") == isovec::Buffer<float>{1.5F, 2e-3F});
    CHECK(write_vector_json(view_of({1.5F, 2e-3F})) == "[1.5,0.002]");
  }
  std::setlocale(LC_ALL, "C");
  if (!found) WARN("no locale with a decimal comma is installed here");
}

TEST_CASE("writing refuses NaN and infinity by index", "[codec][json]") {
  CHECK_THROWS_AS(write_vector_json(view_of({1, NAN})), Error);
  CHECK_THROWS_AS(write_vector_json(view_of({INFINITY})), Error);
}
