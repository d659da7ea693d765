#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <vector>

#include "catch.hpp"
#include "codec/vector_blob.hpp"
#include "codec/vector_convert.hpp"

namespace {

using isovec::Code;
using isovec::Error;
using namespace isovec::codec;

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string message_of_view(std::size_t size, ElementType type) {
  const std::vector<std::byte> bytes(size);
  return message_of([&] { static_cast<void>(view_vector(bytes, type)); });
}

VectorView view_of(const std::vector<float>& values) {
  return {ElementType::float32, values.size(), reinterpret_cast<const std::byte*>(values.data())};
}

std::vector<std::byte> narrowed(const std::vector<float>& values, ElementType type) {
  std::vector<std::byte> bytes(bytes_of(type, values.size()));
  from_float32(values, type, bytes);
  return bytes;
}

// The value of the bits of a 16-bit float with `fraction` bits of fraction, worked out from the definition.
double value_of_half(std::uint32_t bits, int fraction) {
  const int exponent_bits = 15 - fraction;
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const auto exponent = static_cast<int>(bits >> fraction) & ((1 << exponent_bits) - 1);
  const double significand = static_cast<double>(bits & ((1U << fraction) - 1)) / (1 << fraction);
  const double magnitude =
      exponent == 0 ? std::ldexp(significand, 1 - bias) : std::ldexp(1 + significand, exponent - bias);
  return (bits & 0x8000U) != 0 ? -magnitude : magnitude;
}

}  // namespace

TEST_CASE("types have sqlite-vec's subtypes and their own names and sizes", "[codec][vector]") {
  CHECK(subtype_of(ElementType::float32) == 223);
  CHECK(subtype_of(ElementType::bit) == 224);
  CHECK(subtype_of(ElementType::int8) == 225);
  for (const ElementType type : {ElementType::float32, ElementType::float16, ElementType::bfloat16,
                                 ElementType::int8, ElementType::bit}) {
    CHECK(type_of_subtype(subtype_of(type)) == type);
  }
  CHECK(type_of_subtype(0) == ElementType::float32);
  CHECK(bytes_of(ElementType::bit, 16) == 2);
  CHECK(bytes_of(ElementType::bfloat16, 16) == 32);
}

TEST_CASE("a BLOB of the wrong size is refused with what it would take", "[codec][vector]") {
  CHECK(message_of_view(0, ElementType::float32) == "the BLOB is empty: a vector has at least one element");
  CHECK(message_of_view(5, ElementType::float32) ==
        "a BLOB of 5 bytes is no vector of float32, which takes 4 bytes an element");
  CHECK(message_of_view(3, ElementType::float16) ==
        "a BLOB of 3 bytes is no vector of float16, which takes 2 bytes an element");
  CHECK(message_of_view(65'535 * 4, ElementType::float32) == "no error");
  CHECK(message_of_view(65'536 * 4, ElementType::float32) ==
        "a vector of 65536 elements (float32, 262144 bytes) is above the limit of 65535");
  CHECK(message_of_view(8'191, ElementType::bit) == "no error");
  CHECK(message_of_view(8'192, ElementType::bit) ==
        "a vector of 65536 elements (bit, 8192 bytes) is above the limit of 65535");
  CHECK(message_of_view(65'535, ElementType::int8) == "no error");
}

TEST_CASE("vectors of different shapes are refused, with what the bytes may have meant", "[codec][vector]") {
  const std::vector<std::byte> bytes(100'000);
  const auto view = [&](std::size_t dimension, ElementType type = ElementType::float32) {
    return VectorView{type, dimension, bytes.data()};
  };
  const auto message = [](const VectorView& a, const VectorView& b) {
    return message_of([&] { require_same_shape(a, b); });
  };
  CHECK(message(view(768), view(768)) == "no error");
  CHECK(message(view(768), view(500)) == "dimensions differ: 768 and 500");
  CHECK(message(view(768), view(384)) ==
        "dimensions differ: 768 and 384; a BLOB of 3072 bytes is also 384 float64 numbers: pass them as "
        "float32");
  CHECK(message(view(192), view(384)) ==
        "dimensions differ: 192 and 384; a BLOB of 768 bytes is also 384 float16 or bfloat16 numbers: wrap "
        "it in "
        "vec_f16() or vec_bf16()");
  CHECK(message(view(96), view(384)) ==
        "dimensions differ: 96 and 384; a BLOB of 384 bytes is also 384 int8 numbers: wrap it in vec_int8()");
  CHECK(message(view(8), view(8, ElementType::int8)) ==
        "types differ: float32 and int8; give both as one type, for example with vec_int8()");
  CHECK(message(view(8, ElementType::bit), view(16, ElementType::bit)) == "dimensions differ: 8 and 16");
}

TEST_CASE("the first NaN or infinity is found in every float type, at any alignment", "[codec][vector]") {
  const ElementType type = GENERATE(ElementType::float32, ElementType::float16, ElementType::bfloat16);
  const std::size_t size = bytes_of(type, 1);
  const std::uint32_t nan = type == ElementType::float32   ? 0x7FC00000U
                            : type == ElementType::float16 ? 0x7E00U
                                                           : 0x7FC0U;
  const std::uint32_t infinity = type == ElementType::float32   ? 0xFF800000U
                                 : type == ElementType::float16 ? 0xFC00U
                                                                : 0xFF80U;
  for (std::size_t offset = 0; offset < 4; ++offset) {
    for (const std::size_t dimension : {1U, 7U, 33U, 100U}) {
      std::vector<std::byte> bytes(offset + dimension * size);
      const VectorView vector = view_vector(std::span(bytes).subspan(offset), type);
      CHECK(first_nonfinite(vector) == dimension);
      for (std::size_t index = 0; index < dimension; ++index) {
        std::memcpy(bytes.data() + offset + index * size, index % 2 != 0 ? &nan : &infinity, size);
        CAPTURE(offset, dimension, index);
        REQUIRE(first_nonfinite(vector) == index);
        std::memset(bytes.data() + offset + index * size, 0, size);
      }
    }
  }
}

TEST_CASE("NaN and infinity are named with their index", "[codec][vector]") {
  CHECK(message_of([] {
          require_finite(view_of({1, 2, NAN}));
        }) == "element 2 is NaN: a vector holds finite numbers only");
  CHECK(message_of([] {
          require_finite(view_of({-INFINITY, 2}));
        }) ==
        "element 0 is -infinity: a vector holds finite numbers only (are the bytes 1 float64 numbers? pass "
        "float32)");
}

TEST_CASE("conversion to 16-bit floats is to the nearest, ties to even", "[codec][vector]") {
  const ElementType type = GENERATE(ElementType::float16, ElementType::bfloat16);
  const int fraction = type == ElementType::float16 ? 10 : 7;
  const std::uint32_t largest = type == ElementType::float16 ? 0x7BFFU : 0x7F7FU;
  // Every pair of neighbours: values below, at and above their middle.
  for (std::uint32_t bits = 0; bits < largest; ++bits) {
    const double low = value_of_half(bits, fraction);
    const double high = value_of_half(bits + 1, fraction);
    const auto middle = static_cast<float>((low + high) / 2);
    if (static_cast<double>(middle) != (low + high) / 2) continue;  // of bfloat16's least numbers
    const auto expect = [&](float value, std::uint32_t expected) {
      std::uint16_t out = 0;
      from_float32({&value, 1}, type, {reinterpret_cast<std::byte*>(&out), 2});
      CAPTURE(bits, value);
      REQUIRE(out == expected);
      value = -value;
      from_float32({&value, 1}, type, {reinterpret_cast<std::byte*>(&out), 2});
      REQUIRE(out == (expected | 0x8000U));
    };
    expect(static_cast<float>(low), bits);
    expect(std::nextafterf(middle, 0.0F), bits);
    expect(middle, bits % 2 == 0 ? bits : bits + 1);
    expect(std::nextafterf(middle, INFINITY), bits + 1);
    REQUIRE(static_cast<double>(element({type, 1, reinterpret_cast<const std::byte*>(&bits)}, 0)) == low);
  }
}

TEST_CASE("what a type cannot hold is refused by element", "[codec][vector]") {
  const auto message = [](const std::vector<float>& values, ElementType type) {
    return message_of([&] { static_cast<void>(narrowed(values, type)); });
  };
  CHECK(message({65504, -65519.9F}, ElementType::float16) == "no error");
  CHECK(message({1, 65520}, ElementType::float16) ==
        "element 1 is 65520, beyond float16, whose largest number is 65504");
  CHECK(message({-3.4e38F}, ElementType::bfloat16) ==
        "element 0 is -3.4e+38, beyond bfloat16, whose largest number is 3.3895314e38");
  CHECK(message({-128, 127, 0}, ElementType::int8) == "no error");
  CHECK(message({1, 128}, ElementType::int8) ==
        "element 1 is 128, no integer of -128 to 127; vec_quantize_int8(v, 'unit') makes int8 of float32");
  CHECK(message({0.5F}, ElementType::int8) ==
        "element 0 is 0.5, no integer of -128 to 127; vec_quantize_int8(v, 'unit') makes int8 of float32");
  CHECK(message({0, 1, 0, 1, 0, 1, 0, 2}, ElementType::bit) ==
        "element 7 is 2, neither 0 nor 1; vec_quantize_binary(v) makes bits of float32");
  CHECK(message({0, 1}, ElementType::bit) == "a bit vector has a multiple of 8 elements, and this has 2");
}

TEST_CASE("bits are packed with the first element least significant", "[codec][vector]") {
  CHECK(narrowed({1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, ElementType::bit) ==
        std::vector<std::byte>{std::byte{0x07}, std::byte{0x80}});
  const std::byte bits[] = {std::byte{0x05}};
  std::vector<float> values(8);
  to_float32({ElementType::bit, 8, bits}, values);
  CHECK(values == std::vector<float>{1, 0, 1, 0, 0, 0, 0, 0});
}

TEST_CASE("widening is exact for all int8", "[codec][vector]") {
  std::vector<std::byte> bytes;
  for (int i = -128; i < 128; ++i) bytes.push_back(static_cast<std::byte>(static_cast<std::int8_t>(i)));
  std::vector<float> values(256);
  to_float32({ElementType::int8, 256, bytes.data()}, values);
  for (int i = -128; i < 128; ++i) CHECK(values[static_cast<std::size_t>(i + 128)] == static_cast<float>(i));
}
