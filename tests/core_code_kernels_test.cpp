// The kernels of int8 codes against plain loops: integer products exactly, float64 sums against the canonical
// reduction, bit for bit, on every instruction set that runs here.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "catch.hpp"
#include "core/code_kernels.hpp"
#include "core/kernels.hpp"
#include "kernel_inputs.hpp"

namespace {

using isovec::core::CodeKernels;
using isovec::core::CodeQuery;
using isovec::core::CodeResidual;
using isovec::core::kCodePadding;
using isovec::core::kLargestCodeDimension;
using isovec::core::kLargestQueryCode;
using isovec::core::runnable_code_kernels;
using isovec::test::AtPageEnd;
using isovec::test::canonical_sum;
using isovec::test::same_bits;

std::vector<std::size_t> code_dimensions() {
  std::vector<std::size_t> result = isovec::test::dimensions();
  result.erase(result.begin());  // no code has dimension 0
  for (const std::size_t d : {2047, 2048, 2049, 4096, 4097, 8191, 8192}) result.push_back(d);
  return result;
}

/// A query in both its forms.
struct Query {
  explicit Query(const std::vector<std::int32_t>& values) {
    const std::size_t padded = (values.size() + kCodePadding - 1) / kCodePadding * kCodePadding;
    wide.resize(padded);
    high.resize(padded);
    low.resize(padded);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto upper = static_cast<std::int32_t>(std::floor((values[i] + 128) / 256.0));
      wide[i] = static_cast<std::int16_t>(values[i]);
      high[i] = static_cast<std::int8_t>(upper);
      low[i] = static_cast<std::int8_t>(values[i] - 256 * upper);
      REQUIRE(256 * high[i] + low[i] == values[i]);
      sum += values[i];
    }
    const std::size_t first = isovec::core::folded_bytes(values.size());
    const std::size_t second = isovec::core::folded_half(values.size());
    folded.resize(2 * second);
    for (std::size_t i = 0; i < values.size(); ++i) folded[i < first ? i : second + i - first] = high[i];
  }
  [[nodiscard]] CodeQuery view() const { return {wide.data(), high.data(), low.data(), sum, folded.data()}; }

  std::vector<std::int16_t> wide;
  std::vector<std::int8_t> high;
  std::vector<std::int8_t> low;
  std::vector<std::int8_t> folded;
  std::int64_t sum = 0;
};

std::int64_t plain_dot(const std::vector<std::int32_t>& q, const std::int8_t* codes) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < q.size(); ++i) sum += std::int64_t{q[i]} * codes[i];
  return sum;
}

void check_rows(const std::vector<std::int32_t>& q, const std::vector<std::int8_t>& codes, std::size_t rows) {
  const std::size_t d = q.size();
  const Query query(q);
  std::vector<std::int8_t> padded = codes;
  padded.resize(codes.size() + kCodePadding, 77);  // whatever follows must not count
  const AtPageEnd<std::int8_t> memory(padded);
  for (const CodeKernels* kernels : runnable_code_kernels()) {
    CAPTURE(kernels->name, d, rows);
    std::vector<double> out(rows + 1, 0.5);
    kernels->dot_rows(query.view(), memory.data(), rows, d, out.data());
    for (std::size_t r = 0; r < rows; ++r) {
      REQUIRE(out[r] == static_cast<double>(plain_dot(q, memory.data() + r * d)));
    }
    REQUIRE(out[rows] == 0.5);
  }
}

void check_nibbles(const std::vector<std::int32_t>& q, const std::vector<unsigned>& nibbles,
                   std::size_t rows) {
  const std::size_t d = q.size();
  const std::size_t bytes = (d + 1) / 2;
  const Query query(q);
  std::vector<std::uint8_t> folded(rows * bytes + kCodePadding, 0xB7);  // whatever follows must not count
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t i = 0; i < bytes; ++i) {
      const unsigned second = bytes + i < d ? nibbles[r * d + bytes + i] : 11;
      folded[r * bytes + i] = static_cast<std::uint8_t>(nibbles[r * d + i] | second << 4);
    }
  }
  const AtPageEnd<std::uint8_t> memory(folded);
  for (const CodeKernels* kernels : runnable_code_kernels()) {
    CAPTURE(kernels->name, d, rows);
    std::vector<double> out(rows + 1, 0.5);
    kernels->dot_nibbles(query.view(), memory.data(), rows, d, out.data());
    for (std::size_t r = 0; r < rows; ++r) {
      std::int64_t sum = 0;
      for (std::size_t i = 0; i < d; ++i) sum += std::int64_t{query.high[i]} * nibbles[r * d + i];
      REQUIRE(out[r] == static_cast<double>(sum));
    }
    REQUIRE(out[rows] == 0.5);
  }
}

}  // namespace

TEST_CASE("every kernel table has its code kernels, of the same name", "[core][codes]") {
  const auto tables = isovec::core::runnable_kernels();
  const auto codes = runnable_code_kernels();
  REQUIRE(tables.size() == codes.size());
  for (std::size_t i = 0; i < tables.size(); ++i) {
    CHECK(std::string(tables[i]->name) == codes[i]->name);
  }
  CHECK(std::string(isovec::core::kernels().name) == isovec::core::code_kernels().name);
}

TEST_CASE("products of codes equal plain 64-bit sums", "[core][codes]") {
  std::mt19937 random(11);
  std::uniform_int_distribution<std::int32_t> element(-kLargestQueryCode, kLargestQueryCode);
  std::uniform_int_distribution<int> code(-128, 127);
  for (const std::size_t d : code_dimensions()) {
    const std::size_t rows = d > 1000 ? 6 : 11;
    std::vector<std::int32_t> q(d);
    std::vector<std::int8_t> codes(d * rows);
    for (auto& value : q) value = element(random);
    for (auto& value : codes) value = static_cast<std::int8_t>(code(random));
    check_rows(q, codes, rows);
    check_rows(q, codes, 1);
    check_rows(q, codes, 0);
  }
}

TEST_CASE("products of the largest codes do not overflow", "[core][codes]") {
  for (const std::size_t d : {std::size_t{512}, std::size_t{519}, std::size_t{8192}, kLargestCodeDimension}) {
    for (const std::int32_t element : {kLargestQueryCode, -kLargestQueryCode, 127, -128, -32'640 + 1}) {
      for (const int code : {127, -128}) {
        check_rows(std::vector<std::int32_t>(d, element),
                   std::vector<std::int8_t>(5 * d, static_cast<std::int8_t>(code)), 5);
      }
    }
  }
}

TEST_CASE("products of nibbles equal plain 64-bit sums", "[core][codes]") {
  std::mt19937 random(12);
  std::uniform_int_distribution<std::int32_t> element(-kLargestQueryCode, kLargestQueryCode);
  for (const std::size_t d : code_dimensions()) {
    const std::size_t rows = d > 1000 ? 6 : 11;
    std::vector<std::int32_t> q(d);
    std::vector<unsigned> nibbles(d * rows);
    for (auto& value : q) value = element(random);
    for (auto& value : nibbles) value = random() % 16;
    check_nibbles(q, nibbles, rows);
    check_nibbles(q, nibbles, 1);
    check_nibbles(q, nibbles, 0);
  }
  for (const std::size_t d : {std::size_t{519}, kLargestCodeDimension}) {
    for (const std::int32_t largest : {kLargestQueryCode, -kLargestQueryCode}) {
      check_nibbles(std::vector<std::int32_t>(d, largest), std::vector<unsigned>(5 * d, 15), 5);
    }
  }
}

TEST_CASE("bounds of rows are plain float64 arithmetic on every instruction set", "[core][codes]") {
  using isovec::core::BoundTerms;
  using isovec::core::kBoundRows;
  using isovec::core::kBoundUp;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::mt19937 random(13);
  std::normal_distribution<double> normal;
  for (const double magnitude : {1.0, 1e-30, 1e30}) {
    std::vector<double> products(kBoundRows);
    for (double& x : products) x = 1e6 * normal(random);
    std::vector<std::vector<float>> numbers(5, std::vector<float>(kBoundRows));
    for (auto& of_rows : numbers) {
      for (float& x : of_rows) x = static_cast<float>(magnitude * std::abs(normal(random)));
    }
    numbers[1][7] = std::numeric_limits<float>::infinity();  // an error: nothing is known of the row
    const isovec::core::BoundRows rows{products.data(),   numbers[0].data(), numbers[1].data(),
                                       numbers[2].data(), numbers[3].data(), numbers[4].data(),
                                       kBoundRows};
    BoundTerms t;
    double* const terms[] = {&t.start,    &t.step,     &t.along,      &t.per_error,   &t.per_residual,
                             &t.fixed,    &t.per_norm, &t.per_reach,  &t.center_norm, &t.largest_code,
                             &t.rounding, &t.squared,  &t.query_norm, &t.relative,    &t.absolute};
    for (double* term : terms) *term = std::abs(normal(random));
    for (const CodeKernels* kernels : runnable_code_kernels()) {
      std::vector<double> least(kBoundRows);
      std::vector<double> most(kBoundRows);
      const auto check = [&](std::size_t r, double low, double high) {
        const bool known = low <= high && numbers[1][r] < std::numeric_limits<float>::infinity();
        CAPTURE(kernels->name, magnitude, r);
        REQUIRE(same_bits(least[r], known ? low : -kInfinity));
        REQUIRE(same_bits(most[r], known ? high : kInfinity));
      };
      const auto row = [&](std::size_t r, int which) { return double{numbers[which][r]}; };
      const auto residual = [&](std::size_t r) {
        return std::min(t.largest_code * row(r, 0), row(r, 3) + t.center_norm + row(r, 1));
      };
      kernels->bound_products(t, rows, least.data(), most.data());
      for (std::size_t r = 0; r < kBoundRows; ++r) {
        const double slack = (t.per_error * row(r, 1) + t.per_residual * residual(r) + t.fixed +
                              t.per_norm * row(r, 3) + t.per_reach * row(r, 4)) *
                             kBoundUp;
        const double estimate = t.start - t.step * row(r, 0) * products[r] - t.along * row(r, 2);
        check(r, estimate - slack, estimate + slack);
      }
      kernels->bound_l2(t, rows, least.data(), most.data());
      for (std::size_t r = 0; r < kBoundRows; ++r) {
        const double squared = t.start - 2 * t.step * row(r, 0) * products[r] + row(r, 2);
        const double slack = (2 * t.per_residual * residual(r) + 0x1p-23 * row(r, 2) + 0x1p-149 +
                              t.rounding * (t.start + 2 * t.query_norm * residual(r) +
                                            residual(r) * (residual(r) + 2 * t.center_norm))) *
                             kBoundUp;
        const double nearest =
            std::max(0.0, std::sqrt(std::max(0.0, squared - slack)) / kBoundUp - row(r, 1));
        const double farthest = (std::sqrt(std::max(0.0, squared + slack)) + row(r, 1)) * kBoundUp;
        const double off = 2 * (t.per_norm * row(r, 3) + t.per_reach * row(r, 4)) +
                           t.squared * (t.query_norm * t.query_norm + row(r, 3) * row(r, 3));
        check(r, std::sqrt(std::max(0.0, nearest * nearest - off)) * (1 - t.relative) / kBoundUp - t.absolute,
              std::sqrt(farthest * farthest + off) * (1 + t.relative) * kBoundUp + t.absolute);
      }
      std::vector<double> largest = products;
      kernels->largest_products({3.5, -2.25, 1.5, 7, numbers[0].data(), numbers[3].data()}, largest.data());
      for (std::size_t r = 0; r < kBoundRows; ++r) {
        REQUIRE(largest[r] == 3.5 * products[r] - 2.25 + 1.5 * row(r, 0) + 7 * row(r, 3));
      }
      for (const double limit : {0.0, products[9], -kInfinity, kInfinity}) {
        std::uint64_t mask[kBoundRows / 64] = {};
        kernels->at_most(products.data(), limit, mask);
        for (std::size_t r = 0; r < kBoundRows; ++r) {
          REQUIRE((mask[r / 64] >> r % 64 & 1) == (products[r] <= limit ? 1U : 0U));
        }
      }
    }
  }
}

TEST_CASE("coding a row gives the same bits on every instruction set", "[core][codes]") {
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  for (const std::size_t d : code_dimensions()) {
    for (const double magnitude : {1.0, 1e30, 1e-30, 1e-44}) {
      std::vector<double> y(d);
      std::vector<float> center(d);
      for (auto& value : y) value = magnitude * normal(random);
      for (auto& value : center) value = static_cast<float>(magnitude * normal(random));
      const AtPageEnd<double> rows(y);
      const AtPageEnd<float> centers(center, 1);

      double largest = 0;
      for (std::size_t i = 0; i < d; ++i) largest = std::max(largest, std::abs(y[i] - double{center[i]}));
      const float scale =
          std::nextafter(static_cast<float>(largest / 127), std::numeric_limits<float>::infinity());
      std::vector<std::int8_t> expected(d);
      std::vector<double> decoded(d);
      std::vector<double> delta(d);
      for (std::size_t i = 0; i < d; ++i) {
        const double residual = y[i] - double{center[i]};
        const double code = std::nearbyint(residual * (1 / double{scale}));
        REQUIRE(std::abs(code) <= 127);
        expected[i] = static_cast<std::int8_t>(code);
        decoded[i] = code * double{scale};
        delta[i] = residual - decoded[i];
      }
      const CodeResidual sums = {
          canonical_sum<double>(d, [&](std::size_t i) { return delta[i] * delta[i]; }),
          canonical_sum<double>(d, [&](std::size_t i) { return double{center[i]} * delta[i]; }),
          canonical_sum<double>(
              d, [&](std::size_t i) { return decoded[i] * (decoded[i] + 2 * double{center[i]}); })};

      for (const CodeKernels* kernels : runnable_code_kernels()) {
        CAPTURE(kernels->name, d, magnitude);
        REQUIRE(kernels->largest_residual(rows.data(), centers.data(), d) == largest);
        std::vector<std::int8_t> codes(d + 1, 99);
        const CodeResidual got = kernels->quantize(rows.data(), centers.data(), scale, d, codes.data());
        REQUIRE(std::equal(expected.begin(), expected.end(), codes.begin()));
        REQUIRE(codes[d] == 99);
        REQUIRE(same_bits(got.squared_norm, sums.squared_norm));
        REQUIRE(same_bits(got.correction, sums.correction));
        REQUIRE(same_bits(got.offset, sums.offset));
      }
    }
  }
}

TEST_CASE("sums over a center are the canonical reduction", "[core][codes]") {
  for (const std::size_t d : code_dimensions()) {
    const std::vector<float> x = isovec::test::values(isovec::test::Values::ordinary, d, 3);
    const std::vector<float> center = isovec::test::values(isovec::test::Values::mixed, d, 4);
    const AtPageEnd<float> xs(x, 2);
    const AtPageEnd<float> centers(center, 3);
    for (const CodeKernels* kernels : runnable_code_kernels()) {
      CAPTURE(kernels->name, d);
      std::vector<double> q(d + 1, 7.0);
      kernels->widen(xs.data(), 1.0 / 3, d, q.data());
      for (std::size_t i = 0; i < d; ++i) REQUIRE(q[i] == double{x[i]} * (1.0 / 3));
      REQUIRE(q[d] == 7.0);

      const auto sums = kernels->center_sums(q.data(), centers.data(), d);
      REQUIRE(same_bits(sums.dot,
                        canonical_sum<double>(d, [&](std::size_t i) { return q[i] * double{center[i]}; })));
      REQUIRE(same_bits(sums.squared_norm, canonical_sum<double>(d, [&](std::size_t i) {
                          return double{center[i]} * double{center[i]};
                        })));
      REQUIRE(same_bits(sums.squared_distance, canonical_sum<double>(d, [&](std::size_t i) {
                          return (q[i] - double{center[i]}) * (q[i] - double{center[i]});
                        })));

      std::vector<double> total(d + 1, 0.25);
      kernels->accumulate(q.data(), d, total.data());
      for (std::size_t i = 0; i < d; ++i) REQUIRE(total[i] == 0.25 + q[i]);
      REQUIRE(total[d] == 0.25);
    }
  }
}
