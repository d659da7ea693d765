// Sums that rows may leave again: core/vector_sum and core/log_sum.

#include <cmath>
#include <random>

#include "catch.hpp"
#include "core/log_sum.hpp"
#include "core/vector_sum.hpp"

namespace {

using namespace isovec::core;

}  // namespace

TEST_CASE("nothing of a huge row remains in a sum when it has left", "[core][sums]") {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  constexpr std::size_t kDimension = 5;
  VectorSum sum(kDimension);
  std::vector<std::vector<float>> rows;
  for (int i = 0; i < 400; ++i) {
    std::vector<float> row(kDimension);
    for (float& x : row) x = normal(random) * (i % 10 == 3 ? 2e37F : 1e-3F);
    sum.add(row.data(), 0.1);
    rows.push_back(row);
    if (i % 10 == 9) {  // the frame is now the last ten rows, then those without the huge one
      const std::vector<float>& huge = rows[rows.size() - 7];
      sum.subtract(huge.data(), 0.1);
      for (std::size_t k = 0; k < kDimension; ++k) {
        long double expected = 0;
        for (std::size_t r = rows.size() - 10; r < rows.size(); ++r) {
          if (r != rows.size() - 7) expected += 0.1 * static_cast<double>(rows[r][k]);
        }
        // Each of the 800 additions so far may lose 2^-104 of the largest partial sum, here below 1e37; 1e-12
        // of it, which is promised, is 1e25.
        CHECK(std::abs(static_cast<double>(expected - static_cast<long double>(sum.sum(k)))) <
              800 * 0x1p-104 * 1e37);
      }
      for (std::size_t r = rows.size() - 10; r < rows.size(); ++r) {
        if (r != rows.size() - 7) sum.subtract(rows[r].data(), 0.1);
      }
      CHECK(sum.rows() == 0);
    }
  }
}

TEST_CASE("a compensated sum keeps what float64 drops", "[core][sums]") {
  CompensatedSum sum;
  for (const double x : {1e17, 1.0, 3.0, -1e17, 1e-20}) sum.add(x);
  CHECK(sum.value() == 4.0);
  sum.subtract(4.0);
  CHECK(std::abs(sum.value() - 1e-20) < 1e-30);
}

TEST_CASE("weighted means equal long double sums", "[core][sums]") {
  std::mt19937 random(2);
  std::uniform_real_distribution<float> uniform(-1, 1);
  VectorSum sum(3);
  std::vector<long double> expected(3);
  long double weights = 0;
  for (int i = 0; i < 5000; ++i) {
    const float row[] = {uniform(random), uniform(random), uniform(random)};
    const double weight = i % 7 == 0 ? 0.0 : 0.1 * (i % 13);
    sum.add(row, weight);
    for (std::size_t k = 0; k < 3; ++k)
      expected[k] += static_cast<long double>(weight) * static_cast<long double>(row[k]);
    weights += static_cast<long double>(weight);
  }
  for (std::size_t k = 0; k < 3; ++k) {
    CHECK(std::abs(sum.mean(k) - static_cast<double>(expected[k] / weights)) < 1e-15);
  }
}

TEST_CASE("a log of a sum of exponentials is right over every frame of a walk", "[core][sums]") {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> uniform(-40, 40);
  std::vector<double> terms;
  for (int i = 0; i < 600; ++i) terms.push_back(uniform(random) * (i % 50 == 7 ? 20 : 1));
  LogSumOfExponentials sum;
  constexpr std::size_t kFrame = 9;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    sum.add(terms[i]);
    if (i >= kFrame) sum.subtract(terms[i - kFrame]);
    const std::size_t first = i >= kFrame ? i - kFrame + 1 : 0;
    long double greatest = terms[first];
    for (std::size_t j = first; j <= i; ++j)
      greatest = std::max(greatest, static_cast<long double>(terms[j]));
    long double total = 0;
    for (std::size_t j = first; j <= i; ++j) total += std::exp(static_cast<long double>(terms[j]) - greatest);
    const auto expected = static_cast<double>(greatest + std::log(total));
    CAPTURE(i, expected);
    REQUIRE(std::abs(sum.value() - expected) <= 1e-12 * (1 + std::abs(expected)));
  }
}

TEST_CASE("huge exponents neither overflow nor vanish", "[core][sums]") {
  LogSumOfExponentials sum;
  for (const double x : {1e300, -1e300, 700.0, -800.0}) sum.add(x);
  CHECK(sum.value() == 1e300);
  sum.subtract(1e300);
  CHECK(sum.value() == 700.0);
  sum.subtract(700.0);
  CHECK(sum.value() == -800.0);
  sum.subtract(-800.0);
  CHECK(sum.value() == -1e300);
  CHECK(sum.terms() == 1);
}
