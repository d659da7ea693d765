// What similarities and distances mean: against float64 for every size of number, and the promises users
// build on.

#include <cfloat>
#include <cmath>
#include <isovec/error.hpp>
#include <isovec/similarity.hpp>
#include <limits>
#include <numbers>

#include "catch.hpp"
#include "core/floating_point.hpp"
#include "core/kernels.hpp"
#include "core/similarity.hpp"
#include "kernel_inputs.hpp"

using isovec::core::FloatingPointScope;
using namespace isovec::test;
namespace core = isovec::core;

namespace {

const std::vector<Values> kEveryKind{Values::ordinary, Values::huge, Values::tiny, Values::denormal,
                                     Values::mixed};

/// Sums in long double, whose range and precision exceed those of anything tested here.
struct Reference {
  long double dot = 0, dot_magnitude = 0, aa = 0, bb = 0, squared_l2 = 0, l1 = 0;
  Reference(const std::vector<float>& a, const std::vector<float>& b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      const long double x = a[i];
      const long double y = b[i];
      dot += x * y, dot_magnitude += std::abs(x * y);
      aa += x * x, bb += y * y;
      squared_l2 += (x - y) * (x - y), l1 += std::abs(x - y);
    }
  }
  [[nodiscard]] long double cosine() const { return dot / (std::sqrt(aa) * std::sqrt(bb)); }
};

/// Relative error of a float32 sum of positive terms: additions of a lane and the tree, and 3 roundings a
/// term.
double sum_error(std::size_t d) {
  const double n = static_cast<double>((d + 31) / 32) + 5 + 3;
  return n * 0x1p-24 / (1 - n * 0x1p-24);
}

/// `a` times a power of two.
std::vector<float> scaled(std::vector<float> a, float factor) {
  for (float& x : a) x *= factor;
  return a;
}

}  // namespace

TEST_CASE("every measure is right for numbers of every size", "[core][similarity]") {
  const auto kind_a = GENERATE_REF(from_range(kEveryKind));
  const auto kind_b = GENERATE_REF(from_range(kEveryKind));
  CAPTURE(static_cast<int>(kind_a), static_cast<int>(kind_b));
  const FloatingPointScope scope;
  for (const std::size_t d : {1, 2, 5, 31, 100, 768, 1536}) {
    CAPTURE(d);
    const std::vector<float> a = values(kind_a, d, 21);
    const std::vector<float> b = values(kind_b, d, 22);
    const Reference reference(a, b);
    const double g = sum_error(d);
    REQUIRE(std::abs(core::dot(a, b) - reference.dot) <= g * reference.dot_magnitude);
    REQUIRE(std::abs(core::squared_l2(a, b) - reference.squared_l2) <= g * reference.squared_l2);
    REQUIRE(std::abs(core::distance_l2(a, b) - std::sqrt(reference.squared_l2)) <=
            g * std::sqrt(reference.squared_l2));
    REQUIRE(std::abs(core::l1(a, b) - reference.l1) <= g * reference.l1);
    REQUIRE(std::abs(core::squared_norm(a) - reference.aa) <= g * reference.aa);
    // By Cauchy-Schwarz the dot product is off by at most g |a||b|, and each norm by g / 2 of itself.
    REQUIRE(std::abs(core::cosine(a, b).value() - reference.cosine()) <= 2.01 * g);
    REQUIRE(core::distance_cosine(a, b).value() == 1 - core::cosine(a, b).value());
    REQUIRE(std::abs(std::cos(core::angle(a, b).value()) - reference.cosine()) <= 1e-14);
  }
}

TEST_CASE("a vector with itself has cosine 1, distance 0, angle 0, and with its negative -1 and pi",
          "[core][similarity]") {
  const auto kind = GENERATE_REF(from_range(kEveryKind));
  CAPTURE(static_cast<int>(kind));
  const FloatingPointScope scope;
  for (const std::size_t d : {1, 3, 17, 64, 300, 1000}) {
    for (std::uint32_t seed = 0; seed < 20; ++seed) {
      CAPTURE(d, seed);
      const std::vector<float> a = values(kind, d, seed);
      REQUIRE(core::cosine(a, a).value() == 1);
      REQUIRE(core::distance_cosine(a, a).value() == 0);
      REQUIRE(core::distance_l2(a, a) == 0);
      REQUIRE(core::l1(a, a) == 0);
      REQUIRE(core::angle(a, a).value() == 0);
      REQUIRE(core::cosine(a, scaled(a, -1)).value() == -1);
      REQUIRE(std::abs(core::angle(a, scaled(a, -1)).value() - std::numbers::pi) <= 1e-15);
    }
  }
}

TEST_CASE("measures are symmetric to the last bit", "[core][similarity]") {
  const auto kind_a = GENERATE_REF(from_range(kEveryKind));
  const auto kind_b = GENERATE_REF(from_range(kEveryKind));
  const FloatingPointScope scope;
  for (const std::size_t d : {1, 33, 384}) {
    const std::vector<float> a = values(kind_a, d, 23);
    const std::vector<float> b = values(kind_b, d, 24);
    REQUIRE(same_bits(core::dot(a, b), core::dot(b, a)));
    REQUIRE(same_bits(core::squared_l2(a, b), core::squared_l2(b, a)));
    REQUIRE(same_bits(core::l1(a, b), core::l1(b, a)));
    REQUIRE(same_bits(core::cosine(a, b).value(), core::cosine(b, a).value()));
    REQUIRE(same_bits(core::angle(a, b).value(), core::angle(b, a).value()));
  }
}

TEST_CASE("a cosine does not depend on the length of its vectors, to the ends of float32",
          "[core][similarity]") {
  const FloatingPointScope scope;
  const std::vector<float> a = values(Values::ordinary, 100, 25);
  const std::vector<float> b = values(Values::ordinary, 100, 26);
  const double expected = core::cosine(a, b).value();
  // 2^-100 puts the squares below float32's range, 2^120 above it; no element overflows or loses a digit.
  for (const float factor : {0x1p-100F, 0x1p-60F, 0x1p-30F, 0x1p30F, 0x1p60F, 0x1p120F}) {
    CAPTURE(factor);
    REQUIRE(std::abs(core::cosine(scaled(a, factor), b).value() - expected) <= 4 * sum_error(100));
    REQUIRE(std::abs(core::cosine(scaled(a, factor), scaled(b, factor)).value() - expected) <=
            4 * sum_error(100));
  }
}

TEST_CASE("a cosine stays within [-1, 1]", "[core][similarity]") {
  const FloatingPointScope scope;
  for (std::uint32_t seed = 0; seed < 500; ++seed) {
    CAPTURE(seed);
    const std::vector<float> a = values(Values::ordinary, 50, seed);
    std::vector<float> b = scaled(a, 3);
    b[seed % 50] = std::nextafter(b[seed % 50], 0.0F);
    const double similarity = core::cosine(a, b).value();
    REQUIRE(similarity <= 1);
    REQUIRE(similarity >= 1 - 2.01 * sum_error(50));
    REQUIRE(core::cosine(a, scaled(b, -1)).value() == -similarity);
  }
}

TEST_CASE("cosine and angle of a zero vector are undefined, distances are not", "[core][similarity]") {
  const FloatingPointScope scope;
  const std::vector<float> zero{0.0F, -0.0F, 0.0F};
  const std::vector<float> a{3, 0, 4};
  for (const auto& [x, y] : {std::pair{zero, a}, std::pair{a, zero}, std::pair{zero, zero}}) {
    REQUIRE_FALSE(core::cosine(x, y).has_value());
    REQUIRE_FALSE(core::distance_cosine(x, y).has_value());
    REQUIRE_FALSE(core::angle(x, y).has_value());
    REQUIRE(core::dot(x, y) == 0);
  }
  REQUIRE(core::distance_l2(zero, a) == 5);
  REQUIRE(core::l1(a, zero) == 7);
  REQUIRE(core::norm(a) == 5);
  // The smallest float32 there is, squared, is far below float32: still not a zero vector.
  const std::vector<float> smallest{FLT_TRUE_MIN};
  REQUIRE(core::cosine(smallest, std::vector<float>{-FLT_MAX}).value() == -1);
}

TEST_CASE("orthogonal vectors have cosine 0, also where products underflow", "[core][similarity]") {
  const FloatingPointScope scope;
  REQUIRE(core::cosine(std::vector<float>{1, 0}, std::vector<float>{0, 5}).value() == 0);
  REQUIRE(core::angle(std::vector<float>{1, 0}, std::vector<float>{0, 5}).value() == std::numbers::pi / 2);
  const std::vector<float> a{0x1p-80F, 1};
  const std::vector<float> b{0x1p-80F, 0};
  REQUIRE(core::dot(a, b) == 0x1p-160);  // below float32's smallest
  REQUIRE(core::cosine(a, b).value() == 0x1p-80);
}

TEST_CASE("a result that is not finite tells of input that is not", "[core][similarity]") {
  const FloatingPointScope scope;
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const float bad : {infinity, -infinity, nan}) {
    for (const float other : {0.0F, 1.0F}) {
      CAPTURE(bad, other);
      const std::vector<float> a{1, bad};
      const std::vector<float> b{other, other};
      REQUIRE_FALSE(std::isfinite(core::dot(a, b)));
      REQUIRE_FALSE(std::isfinite(core::squared_l2(a, b)));
      REQUIRE_FALSE(std::isfinite(core::l1(a, b)));
      REQUIRE_FALSE(std::isfinite(core::cosine(a, b).value()));
      REQUIRE_FALSE(std::isfinite(core::cosine(b, a).value()));
      REQUIRE_FALSE(std::isfinite(core::angle(b, a).value()));
      REQUIRE(core::first_nonfinite(a) == 1);
    }
  }
}

TEST_CASE("finishing the sums of many rows gives the bits of measuring each row", "[core][similarity]") {
  const auto kind = GENERATE_REF(from_range(kEveryKind));
  const FloatingPointScope scope;
  constexpr std::size_t kDim = 40;
  constexpr std::size_t kRows = 7;
  const std::vector<float> q = values(Values::ordinary, kDim, 27);
  const std::vector<float> rows = values(kind, kDim * kRows, 28);
  std::vector<float> dots(kRows), norms(kRows), l2(kRows);
  const core::KernelTable& table = core::kernels();
  table.dot_and_squared_norm_rows(q.data(), rows.data(), kRows, kDim, kDim, dots.data(), norms.data());
  table.squared_l2_rows(q.data(), rows.data(), kRows, kDim, kDim, l2.data());
  const float norm_q = table.squared_norm(q.data(), kDim);
  for (std::size_t r = 0; r < kRows; ++r) {
    const std::span<const float> row(rows.data() + r * kDim, kDim);
    REQUIRE(core::finish_cosine({dots[r], norm_q, norms[r]}, q, row) == core::cosine(q, row));
    REQUIRE(same_bits(core::finish_dot(dots[r], q, row), core::dot(q, row)));
    REQUIRE(same_bits(core::finish_squared_l2(l2[r], q, row), core::squared_l2(q, row)));
  }
}

TEST_CASE("the public functions refuse what the mathematics cannot take", "[core][similarity]") {
  const std::vector<float> a{1, 2, 3};
  const std::vector<float> shorter{1, 2};
  const std::vector<float> bad{1, 2, std::numeric_limits<float>::infinity()};
  const auto message = [](auto call) -> std::string {
    try {
      (void)call();
    } catch (const isovec::Error& error) {
      return error.code() == isovec::Code::invalid_argument ? error.what() : "another code";
    }
    return "no error";
  };
  REQUIRE(message([&] { return isovec::dot(a, shorter); }) == "dimensions differ: 3 and 2");
  REQUIRE(message([&] { return isovec::cosine(a, bad); }) ==
          "element 2 is infinite; vectors hold finite numbers");
  REQUIRE(message([&] { return isovec::distance_l2(bad, a); }) ==
          "element 2 is infinite; vectors hold finite numbers");
  REQUIRE(message([&] { return isovec::norm(bad); }) == "element 2 is infinite; vectors hold finite numbers");
  REQUIRE(isovec::dot(a, a) == 14);
  REQUIRE(isovec::distance_l1(a, std::vector<float>{0, 0, 0}) == 6);
  REQUIRE(isovec::distance_cosine(a, a).value() == 0);
  REQUIRE(isovec::angle(a, a).value() == 0);
  REQUIRE(isovec::backend() == core::kernels().name);
}

TEST_CASE("the distance of orthogonal vectors by inner product is a plain 0", "[core][similarity]") {
  const std::vector<float> a{1.0F, 0.0F}, b{0.0F, 1.0F};
  CHECK(core::distance_dot(a, b) == 0.0);
  CHECK(!std::signbit(core::distance_dot(a, b)));
}
