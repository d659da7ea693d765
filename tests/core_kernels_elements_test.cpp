// The kernels over float16, bfloat16, int8 and bits of every table that runs here, and the conversions.

#include <bit>
#include <limits>

#include "catch.hpp"
#include "core/floating_point.hpp"
#include "core/half.hpp"
#include "core/kernels.hpp"
#include "kernel_inputs.hpp"

using namespace isovec::core;
using namespace isovec::test;

namespace {

const KernelTable& each_table() {
  const auto tables = runnable_kernels();
  return *tables[GENERATE_REF(range(std::size_t{0}, tables.size()))];
}

/// One of the two 16-bit formats: its kernels, its conversions, the bits of its fraction.
struct Format {
  const char* name;
  HalfKernels KernelTable::*kernels;
  float (*to_float)(std::uint16_t) noexcept;
  std::uint16_t (*from_float)(float) noexcept;
  int fraction_bits;
  int exponent_bits;
};
const Format kFormats[] = {
    {"float16", &KernelTable::float16, float16_to_float, float_to_float16, 10, 5},
    {"bfloat16", &KernelTable::bfloat16, bfloat16_to_float, float_to_bfloat16, 7, 8},
};

/// The number that the bits of a format mean, by its definition.
double meaning(const Format& format, std::uint16_t bits) {
  const int exponent = (bits >> format.fraction_bits) & ((1 << format.exponent_bits) - 1);
  const int fraction = bits & ((1 << format.fraction_bits) - 1);
  const int bias = (1 << (format.exponent_bits - 1)) - 1;
  const double sign = bits & 0x8000 ? -1 : 1;
  if (exponent == (1 << format.exponent_bits) - 1) {
    return fraction ? std::numeric_limits<double>::quiet_NaN()
                    : sign * std::numeric_limits<double>::infinity();
  }
  if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias - format.fraction_bits);
  return sign * std::ldexp((1 << format.fraction_bits) + fraction, exponent - bias - format.fraction_bits);
}

/// Every bit pattern, once.
std::vector<std::uint16_t> every_pattern() {
  std::vector<std::uint16_t> bits(65536);
  for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<std::uint16_t>(i);
  return bits;
}

std::vector<std::uint16_t> narrowed(const Format& format, const std::vector<float>& x) {
  std::vector<std::uint16_t> bits;
  for (const float value : x) bits.push_back(format.from_float(value));
  return bits;
}

std::vector<float> widened(const Format& format, const std::vector<std::uint16_t>& bits) {
  std::vector<float> x;
  for (const std::uint16_t value : bits) x.push_back(format.to_float(value));
  return x;
}

/// Floats at which narrowing has to decide: every value of the format, the midpoint to the next, and the
/// float32 on either side of each; with what they must become.
struct Decision {
  float value;
  std::uint16_t bits;
};
std::vector<Decision> decisions(const Format& format) {
  std::vector<Decision> result;
  const auto infinite = static_cast<std::uint16_t>(((1 << format.exponent_bits) - 1) << format.fraction_bits);
  const float infinity = std::numeric_limits<float>::infinity();
  for (std::uint16_t low = 0; low < infinite; ++low) {
    const auto high = static_cast<std::uint16_t>(low + 1);
    const double below = meaning(format, low);
    // Beyond the largest value the next would be one more step away; from halfway to there on: infinity.
    const double step = high == infinite ? below - meaning(format, static_cast<std::uint16_t>(low - 1))
                                         : meaning(format, high) - below;
    const auto middle = static_cast<float>(below + step / 2);  // exact: float32 has the bits to spare
    result.push_back({static_cast<float>(below), low});
    result.push_back({middle, low % 2 == 0 ? low : high});
    result.push_back({std::nextafter(middle, 0.0F), low});
    result.push_back({std::nextafter(middle, infinity), high});
  }
  result.push_back({std::numeric_limits<float>::max(), infinite});
  result.push_back({infinity, infinite});
  result.push_back({std::numeric_limits<float>::denorm_min(), 0});
  const std::size_t positive = result.size();
  for (std::size_t i = 0; i < positive; ++i) {
    result.push_back({-result[i].value, static_cast<std::uint16_t>(result[i].bits | 0x8000)});
  }
  return result;
}

std::vector<std::int8_t> bytes(std::size_t d, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::int8_t> result(d);
  for (std::int8_t& x : result) x = static_cast<std::int8_t>(static_cast<int>(random() % 256) - 128);
  return result;
}

void require_exact(const Int8Kernels& kernels, const std::vector<std::int8_t>& a,
                   const std::vector<std::int8_t>& b) {
  std::int64_t dot = 0, squared_l2 = 0, l1 = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const std::int64_t x = a[i], y = b[i];
    dot += x * y, aa += x * x, bb += y * y, squared_l2 += (x - y) * (x - y), l1 += std::abs(x - y);
  }
  const std::size_t d = a.size();
  REQUIRE(kernels.dot(a.data(), b.data(), d) == dot);
  REQUIRE(kernels.squared_l2(a.data(), b.data(), d) == squared_l2);
  REQUIRE(kernels.l1(a.data(), b.data(), d) == l1);
  REQUIRE(kernels.squared_norm(a.data(), d) == aa);
  const IntegerDotAndNorm both = kernels.dot_and_squared_norm(a.data(), b.data(), d);
  REQUIRE(both.dot == dot);
  REQUIRE(both.squared_norm == bb);
}

}  // namespace

TEST_CASE("widening a 16-bit float gives the number that its bits mean", "[core][kernels]") {
  const Format& format = kFormats[GENERATE(0, 1)];
  const KernelTable& table = each_table();
  CAPTURE(format.name, table.name);
  const FloatingPointScope scope;
  const std::vector<std::uint16_t> bits = every_pattern();
  std::vector<float> x(bits.size());
  (table.*format.kernels).to_float(bits.data(), bits.size(), x.data());
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const auto expected = static_cast<float>(meaning(format, bits[i]));
    wrong += !same_bits(x[i], expected);
    wrong += !same_bits(format.to_float(bits[i]), expected);
  }
  REQUIRE(wrong == 0);
}

TEST_CASE("narrowing rounds to nearest, ties to even, at every value and every midpoint", "[core][kernels]") {
  const Format& format = kFormats[GENERATE(0, 1)];
  const KernelTable& table = each_table();
  CAPTURE(format.name, table.name);
  const FloatingPointScope scope;
  const std::vector<Decision> cases = decisions(format);
  REQUIRE(cases.size() > 200000);
  std::vector<float> x;
  for (const Decision& decision : cases) x.push_back(decision.value);
  std::vector<std::uint16_t> bits(x.size());
  (table.*format.kernels).from_float(x.data(), x.size(), bits.data());
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (bits[i] == cases[i].bits && format.from_float(x[i]) == cases[i].bits) continue;
    CAPTURE(x[i], cases[i].bits, bits[i], format.from_float(x[i]));
    FAIL("narrowed to another value");
  }
}

TEST_CASE("NaN stays NaN through both conversions", "[core][kernels]") {
  const Format& format = kFormats[GENERATE(0, 1)];
  const KernelTable& table = each_table();
  CAPTURE(format.name, table.name);
  const FloatingPointScope scope;
  for (const std::uint32_t pattern :
       {0x7F800001U, 0x7F801000U, 0x7FC00000U, 0x7FFFFFFFU, 0xFF800001U, 0xFFFFFFFFU}) {
    const auto nan = std::bit_cast<float>(pattern);
    std::uint16_t bits = 0;
    float back = 0;
    (table.*format.kernels).from_float(&nan, 1, &bits);
    (table.*format.kernels).to_float(&bits, 1, &back);
    CAPTURE(pattern, bits);
    REQUIRE(std::isnan(meaning(format, bits)));
    REQUIRE(std::isnan(back));
    REQUIRE(std::isnan(format.to_float(format.from_float(nan))));
    REQUIRE((bits & 0x8000) == (pattern >> 16 & 0x8000));
  }
}

TEST_CASE("conversions of any length touch exactly their elements", "[core][kernels]") {
  const Format& format = kFormats[GENERATE(0, 1)];
  const KernelTable& table = each_table();
  CAPTURE(format.name, table.name);
  const FloatingPointScope scope;
  for (const std::size_t d : dimensions()) {
    CAPTURE(d);
    const std::vector<float> x = values(Values::ordinary, d, 31);
    const AtPageEnd<float> px(x, 1);
    const std::vector<std::uint16_t> expected = narrowed(format, x);
    std::vector<std::uint16_t> bits(d + 1, 0xABCD);
    (table.*format.kernels).from_float(px.data(), d, bits.data());
    REQUIRE(std::equal(expected.begin(), expected.end(), bits.begin()));
    REQUIRE(bits[d] == 0xABCD);
    const AtPageEnd<std::uint16_t> pbits(expected, 1);
    std::vector<float> back(d + 1, 77.0F);
    (table.*format.kernels).to_float(pbits.data(), d, back.data());
    REQUIRE(back[d] == 77.0F);
    back.pop_back();
    REQUIRE(same_bits(back, widened(format, expected)));
  }
}

TEST_CASE("16-bit kernels give the bits of the float32 kernels on the widened vectors", "[core][kernels]") {
  const Format& format = kFormats[GENERATE(0, 1)];
  const KernelTable& table = each_table();
  const KernelTable& reference = *runnable_kernels().front();
  const auto kind = GENERATE(Values::ordinary, Values::mixed);
  CAPTURE(format.name, table.name, static_cast<int>(kind));
  const HalfKernels& half = table.*format.kernels;
  const FloatingPointScope scope;
  for (const std::size_t d : dimensions()) {
    CAPTURE(d);
    const std::vector<std::uint16_t> a = narrowed(format, values(kind, d, 32));
    const std::vector<std::uint16_t> b = narrowed(format, values(kind, d, 33));
    const std::vector<float> x = widened(format, a);
    const std::vector<float> y = widened(format, b);
    const AtPageEnd<std::uint16_t> pa(a, 1);
    const AtPageEnd<std::uint16_t> pb(b);
    const DotAndNorm both = reference.dot_and_squared_norm(x.data(), y.data(), d);
    REQUIRE(same_bits(half.dot(pa.data(), pb.data(), d), both.dot));
    REQUIRE(same_bits(half.squared_l2(pa.data(), pb.data(), d), reference.squared_l2(x.data(), y.data(), d)));
    REQUIRE(same_bits(half.l1(pa.data(), pb.data(), d), reference.l1(x.data(), y.data(), d)));
    REQUIRE(same_bits(half.squared_norm(pb.data(), d), both.squared_norm));
    REQUIRE(same_bits(half.dot_and_squared_norm(pa.data(), pb.data(), d).dot, both.dot));
    REQUIRE(same_bits(half.dot_and_squared_norm(pa.data(), pb.data(), d).squared_norm, both.squared_norm));
    REQUIRE(same_bits(half.query_dot(x.data(), pb.data(), d), both.dot));
    REQUIRE(same_bits(half.query_squared_l2(x.data(), pb.data(), d),
                      reference.squared_l2(x.data(), y.data(), d)));
    REQUIRE(same_bits(half.query_l1(x.data(), pb.data(), d), reference.l1(x.data(), y.data(), d)));
    REQUIRE(same_bits(half.query_dot_and_squared_norm(x.data(), pb.data(), d).dot, both.dot));
    REQUIRE(
        same_bits(half.query_dot_and_squared_norm(x.data(), pb.data(), d).squared_norm, both.squared_norm));
  }
}

TEST_CASE("int8 kernels are exact", "[core][kernels]") {
  const KernelTable& table = each_table();
  CAPTURE(table.name);
  for (const std::size_t d : dimensions()) {
    CAPTURE(d);
    require_exact(table.int8, bytes(d, 34), bytes(d, 35));
    const AtPageEnd<std::int8_t> a(bytes(d, 34));
    const AtPageEnd<std::int8_t> b(bytes(d, 35));
    REQUIRE(table.int8.dot(a.data(), b.data(), d) ==
            table.int8.dot(bytes(d, 34).data(), bytes(d, 35).data(), d));
  }
}

TEST_CASE("int8 kernels do not overflow at the largest values and sizes", "[core][kernels]") {
  const KernelTable& table = each_table();
  // 32,768 and one more: the size of a block of int32 sums; 200,000: squared_l2 is beyond 32 bits.
  const std::size_t d = GENERATE(32767, 32768, 32769, 65535, 200000);
  CAPTURE(table.name, d);
  const std::vector<std::int8_t> lowest(d, -128);
  const std::vector<std::int8_t> highest(d, 127);
  require_exact(table.int8, lowest, lowest);
  require_exact(table.int8, lowest, highest);
  require_exact(table.int8, highest, highest);
}

TEST_CASE("bit kernels count every bit once", "[core][kernels]") {
  const KernelTable& table = each_table();
  CAPTURE(table.name);
  std::mt19937 random(36);
  for (std::size_t size = 0; size <= 300; ++size) {
    CAPTURE(size);
    std::vector<std::uint8_t> a(size), b(size);
    for (std::uint8_t& x : a) x = static_cast<std::uint8_t>(random());
    for (std::uint8_t& x : b) x = static_cast<std::uint8_t>(random());
    std::int64_t differ = 0, set = 0;
    for (std::size_t bit = 0; bit < 8 * size; ++bit) {
      const bool in_a = a[bit / 8] >> bit % 8 & 1;
      const bool in_b = b[bit / 8] >> bit % 8 & 1;
      differ += in_a != in_b;
      set += in_a;
    }
    const AtPageEnd<std::uint8_t> pa(a);
    const AtPageEnd<std::uint8_t> pb(b);
    REQUIRE(table.bit.hamming(pa.data(), pb.data(), size) == differ);
    REQUIRE(table.bit.count(pa.data(), size) == set);
  }
  const std::vector<std::uint8_t> ones(8192, 0xFF);
  const std::vector<std::uint8_t> zeros(8192, 0);
  REQUIRE(table.bit.hamming(ones.data(), zeros.data(), 8192) == 65536);
  REQUIRE(table.bit.count(ones.data(), 8192) == 65536);
}

#if defined(__x86_64__)
TEST_CASE("a host that flushes denormals to zero does not change a conversion", "[core][kernels]") {
  const Format& format = kFormats[GENERATE(0, 1)];
  const KernelTable& table = each_table();
  CAPTURE(format.name, table.name);
  const std::vector<std::uint16_t> bits = every_pattern();
  std::vector<float> x(bits.size());
  std::vector<std::uint16_t> back(bits.size());
  const unsigned host = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(host | 0x8040);
  (table.*format.kernels).to_float(bits.data(), bits.size(), x.data());
  (table.*format.kernels).from_float(x.data(), x.size(), back.data());
  __builtin_ia32_ldmxcsr(host);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const double value = meaning(format, bits[i]);
    if (!std::isnan(value)) wrong += !same_bits(x[i], static_cast<float>(value)) || back[i] != bits[i];
  }
  REQUIRE(wrong == 0);
}
#endif
