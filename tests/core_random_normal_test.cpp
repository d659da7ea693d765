#include <cmath>

#include "catch.hpp"
#include "core/random_normal.hpp"

namespace {

using namespace isovec::core;

}  // namespace

TEST_CASE("normal quantiles invert the normal distribution function", "[core][random]") {
  for (double p = 1e-16; p < 1; p = p < 0.01 ? p * 1.7 : p + 0.0037) {
    const double x = normal_quantile(p);
    const double again = 0.5 * std::erfc(-x / std::sqrt(2.0));
    // One unit in the last place of x moves the probability by up to x^2 of its own.
    CAPTURE(p, x, again);
    CHECK(std::abs(again - p) <= 4e-15 * (1 + x * x) * p);
  }
}

TEST_CASE("a seed gives the same numbers everywhere", "[core][random]") {
  // SplitMix64 in integers and the inverse error function of mpmath 1.4.1, rounded to float32.
  const float zero[] = {0.391939342F, -0.968503714F, 0.024765512F, 1.969841F, -0.331287533F, -1.65815914F};
  const float answer[] = {-0.403495371F, 2.00985599F,  -0.134286851F,
                          -0.216144204F, 0.177089512F, 0.910515487F};
  const float minus_one[] = {-0.341822892F, -0.233304769F, -0.47023505F,
                             -2.27736044F,  -2.32454109F,  -0.811540186F};
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(static_cast<float>(random_normal(0, i)) == zero[i]);
    CHECK(static_cast<float>(random_normal(42, i)) == answer[i]);
    CHECK(static_cast<float>(random_normal(static_cast<std::uint64_t>(-1), i)) == minus_one[i]);
  }
}

TEST_CASE("the numbers of a seed have the moments of N(0, 1) and do not repeat with the next seed",
          "[core][random]") {
  constexpr int kCount = 200'000;
  double sum = 0;
  double squares = 0;
  double fourth = 0;
  double cross = 0;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    const double x = random_normal(5, i);
    sum += x;
    squares += x * x;
    fourth += x * x * x * x;
    cross += x * random_normal(6, i);
  }
  const double n = kCount;
  const double sd = 1 / std::sqrt(n);  // of the mean; the others by their known variances
  CHECK(std::abs(sum / n) < 5 * sd);
  CHECK(std::abs(squares / n - 1) < 5 * std::sqrt(2.0) * sd);
  CHECK(std::abs(fourth / n - 3) < 5 * std::sqrt(96.0) * sd);
  CHECK(std::abs(cross / n) < 5 * sd);
}
