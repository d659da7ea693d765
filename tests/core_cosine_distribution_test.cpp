#include <cmath>

#include "catch.hpp"
#include "core/cosine_distribution.hpp"
#include "cosine_distribution_values.hpp"

namespace {

using namespace isovec::core;

// The promise of 1e-12 relative.
bool agrees(double value, double expected) {
  return std::abs(value - expected) <= 1e-12 * std::abs(expected);
}

}  // namespace

TEST_CASE("the tail of random cosines and its surprise are right to 1e-12 up to d = 65,535",
          "[core][cosine_distribution]") {
  for (const auto& [c, d, tail, surprise] : isovec::test::kCosineTails) {
    CAPTURE(c, d, tail, surprise, cosine_tail(c, d), cosine_surprise(c, d));
    if (tail > 0) CHECK(agrees(cosine_tail(c, d), tail));
    if (tail == 0) CHECK(cosine_tail(c, d) < 1e-299);
    if (surprise > 0) CHECK(agrees(cosine_surprise(c, d), surprise));
    if (surprise == 0) CHECK(cosine_surprise(c, d) < 1e-299);
  }
}

TEST_CASE("quantiles of random cosines are right to 1e-12", "[core][cosine_distribution]") {
  for (const auto& [p, d, c] : isovec::test::kCosineQuantiles) {
    CAPTURE(p, d, c, cosine_quantile(p, d));
    CHECK(agrees(cosine_quantile(p, d), c));
  }
}

TEST_CASE("two and three dimensions have closed forms", "[core][cosine_distribution]") {
  for (double c = -1; c <= 1; c += 0.0625) {
    CAPTURE(c);
    CHECK(agrees(cosine_tail(c, 3), (1 - c) / 2));
    CHECK(agrees(cosine_tail(c, 2), std::acos(c) / std::acos(-1)));
  }
}

TEST_CASE("the ends are exact", "[core][cosine_distribution]") {
  for (const double d : {1.25, 2.0, 384.0, 65535.0}) {
    CHECK(cosine_tail(1, d) == 0);
    CHECK(cosine_tail(-1, d) == 1);
    CHECK(std::isinf(cosine_surprise(1, d)));
    CHECK(cosine_surprise(-1, d) == 0);
    CHECK(cosine_quantile(0, d) == 1);
    CHECK(cosine_quantile(1, d) == -1);
    CHECK(cosine_quantile(0.5, d) == 0);
  }
}
