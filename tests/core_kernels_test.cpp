// The float32 and float64 kernels of every table that runs here: against float64 with a derived bound, and,
// bit for bit, against the canonical reduction written plainly.

#include <cstdlib>
#include <functional>
#include <limits>

#include "catch.hpp"
#include "core/floating_point.hpp"
#include "core/kernels.hpp"
#include "kernel_inputs.hpp"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

using isovec::core::DotAndNorm;
using isovec::core::FloatingPointScope;
using isovec::core::kernels;
using isovec::core::KernelTable;
using isovec::core::runnable_kernels;
using namespace isovec::test;

namespace {

const KernelTable& each_table() {
  const auto tables = runnable_kernels();
  return *tables[GENERATE_REF(range(std::size_t{0}, tables.size()))];
}

float model_dot(const std::vector<float>& a, const std::vector<float>& b) {
  return canonical_sum<float>(a.size(), [&](std::size_t i) { return a[i] * b[i]; });
}
float model_squared_l2(const std::vector<float>& a, const std::vector<float>& b) {
  return canonical_sum<float>(a.size(), [&](std::size_t i) { return (a[i] - b[i]) * (a[i] - b[i]); });
}
float model_l1(const std::vector<float>& a, const std::vector<float>& b) {
  return canonical_sum<float>(a.size(), [&](std::size_t i) { return std::abs(a[i] - b[i]); });
}

/// The bound of N. Higham, "Accuracy and Stability of Numerical Algorithms" (2002), 3.1: `roundings` in a
/// row, of unit 2^-24, over terms of which the magnitudes sum to `magnitude`; and the 2^-150 that a product
/// may lose to underflow.
double bound(std::size_t d, double roundings, double magnitude) {
  constexpr double kUnit = 0x1p-24;
  return roundings * kUnit / (1 - roundings * kUnit) * magnitude + static_cast<double>(d) * 0x1p-150;
}

/// Additions that a term of d goes through: those of its lane, then five of the tree.
double additions(std::size_t d) {
  return static_cast<double>((d + 31) / 32) + 5;
}

}  // namespace

TEST_CASE("float32 kernels are within the rounding bound of float64", "[core][kernels]") {
  const KernelTable& table = each_table();
  CAPTURE(table.name);
  const FloatingPointScope scope;
  for (const std::size_t d : dimensions()) {
    CAPTURE(d);
    const std::vector<float> a = values(Values::ordinary, d, 1);
    const std::vector<float> b = values(Values::ordinary, d, 2);
    double dot = 0, dot_magnitude = 0, squared_l2 = 0, l1 = 0, squared_norm = 0;
    for (std::size_t i = 0; i < d; ++i) {
      const double x = a[i];
      const double y = b[i];
      dot += x * y;
      dot_magnitude += std::abs(x * y);
      squared_l2 += (x - y) * (x - y);
      l1 += std::abs(x - y);
      squared_norm += x * x;
    }
    const double sums = additions(d);
    REQUIRE(std::abs(table.dot(a.data(), b.data(), d) - dot) <= bound(d, sums + 1, dot_magnitude));
    REQUIRE(std::abs(table.squared_l2(a.data(), b.data(), d) - squared_l2) <= bound(d, sums + 3, squared_l2));
    REQUIRE(std::abs(table.l1(a.data(), b.data(), d) - l1) <= bound(d, sums + 1, l1));
    REQUIRE(std::abs(table.squared_norm(a.data(), d) - squared_norm) <= bound(d, sums + 1, squared_norm));
  }
}

TEST_CASE("every table gives the bits of the canonical reduction", "[core][kernels]") {
  const KernelTable& table = each_table();
  const auto kind = GENERATE(Values::ordinary, Values::huge, Values::tiny, Values::denormal, Values::mixed);
  CAPTURE(table.name, static_cast<int>(kind));
  const FloatingPointScope scope;
  for (const std::size_t d : dimensions()) {
    CAPTURE(d);
    const std::vector<float> a = values(kind, d, 3);
    const std::vector<float> b = values(kind, d, 4);
    REQUIRE(same_bits(table.dot(a.data(), b.data(), d), model_dot(a, b)));
    REQUIRE(same_bits(table.squared_l2(a.data(), b.data(), d), model_squared_l2(a, b)));
    REQUIRE(same_bits(table.l1(a.data(), b.data(), d), model_l1(a, b)));
    REQUIRE(same_bits(table.squared_norm(a.data(), d), model_dot(a, a)));
    const DotAndNorm both = table.dot_and_squared_norm(a.data(), b.data(), d);
    REQUIRE(same_bits(both.dot, model_dot(a, b)));
    REQUIRE(same_bits(both.squared_norm, model_dot(b, b)));
  }
}

TEST_CASE("float64 kernels give the bits of the canonical reduction", "[core][kernels]") {
  const KernelTable& table = each_table();
  CAPTURE(table.name);
  const FloatingPointScope scope;
  for (const std::size_t d : dimensions()) {
    CAPTURE(d);
    const std::vector<float> x = values(Values::mixed, d, 5);
    const std::vector<float> y = values(Values::ordinary, d, 6);
    std::vector<double> a(d);
    std::vector<double> b(d);
    for (std::size_t i = 0; i < d; ++i) a[i] = y[i] / 3.0, b[i] = x[i] / 7.0;
    const auto dot = canonical_sum<double>(d, [&](std::size_t i) { return a[i] * b[i]; });
    const auto mixed = canonical_sum<double>(d, [&](std::size_t i) { return a[i] * x[i]; });
    REQUIRE(same_bits(table.dot_f64(a.data(), b.data(), d), dot));
    REQUIRE(same_bits(table.dot_f64_f32(a.data(), x.data(), d), mixed));
  }
}

TEST_CASE("scoring many rows gives each row the bits of scoring it alone", "[core][kernels]") {
  const KernelTable& table = each_table();
  const std::size_t row_count = GENERATE(0, 1, 2, 3, 4, 5, 9);
  CAPTURE(table.name, row_count);
  const FloatingPointScope scope;
  for (const std::size_t d : dimensions()) {
    const std::size_t stride = d + 3;
    CAPTURE(d);
    const std::vector<float> q = values(Values::ordinary, d, 7);
    const std::vector<float> rows = values(Values::ordinary, row_count * stride, 8);
    std::vector<double> wide_q(q.begin(), q.end());
    std::vector<float> dots(row_count), norms(row_count), l2(row_count), l1(row_count),
        plain_norms(row_count);
    std::vector<float> plain_dots(row_count);
    std::vector<double> wide_dots(row_count);
    table.dot_rows(q.data(), rows.data(), row_count, stride, d, plain_dots.data());
    table.dot_and_squared_norm_rows(q.data(), rows.data(), row_count, stride, d, dots.data(), norms.data());
    table.squared_l2_rows(q.data(), rows.data(), row_count, stride, d, l2.data());
    table.l1_rows(q.data(), rows.data(), row_count, stride, d, l1.data());
    table.squared_norm_rows(rows.data(), row_count, stride, d, plain_norms.data());
    table.dot_f64_f32_rows(wide_q.data(), rows.data(), row_count, stride, d, wide_dots.data());
    for (std::size_t r = 0; r < row_count; ++r) {
      CAPTURE(r);
      const float* row = rows.data() + r * stride;
      REQUIRE(same_bits(plain_dots[r], table.dot(q.data(), row, d)));
      REQUIRE(same_bits(dots[r], plain_dots[r]));
      REQUIRE(same_bits(norms[r], table.squared_norm(row, d)));
      REQUIRE(same_bits(plain_norms[r], norms[r]));
      REQUIRE(same_bits(l2[r], table.squared_l2(q.data(), row, d)));
      REQUIRE(same_bits(l1[r], table.l1(q.data(), row, d)));
      REQUIRE(same_bits(wide_dots[r], table.dot_f64_f32(wide_q.data(), row, d)));
    }
  }
}

TEST_CASE("rows beyond the size of a cache get the bits of scoring them alone", "[core][kernels]") {
  const KernelTable& table = each_table();
  CAPTURE(table.name);
  const FloatingPointScope scope;
  constexpr std::size_t kDim = 100;
  constexpr std::size_t kRows = 1001;  // 400,400 bytes
  const std::vector<float> q = values(Values::ordinary, kDim, 17);
  const std::vector<float> rows = values(Values::ordinary, kRows * kDim, 18);
  std::vector<float> dots(kRows), norms(kRows);
  table.dot_and_squared_norm_rows(q.data(), rows.data(), kRows, kDim, kDim, dots.data(), norms.data());
  std::size_t wrong = 0;
  for (std::size_t r = 0; r < kRows; ++r) {
    wrong += !same_bits(dots[r], table.dot(q.data(), rows.data() + r * kDim, kDim));
    wrong += !same_bits(norms[r], table.squared_norm(rows.data() + r * kDim, kDim));
  }
  REQUIRE(wrong == 0);
}

TEST_CASE("a matrix times a vector is the dot product with each of its rows", "[core][kernels]") {
  const KernelTable& table = each_table();
  CAPTURE(table.name);
  const FloatingPointScope scope;
  for (const std::size_t d : {1, 31, 32, 33, 100, 384}) {
    for (const std::size_t k : {0, 1, 3, 4, 7}) {
      CAPTURE(d, k);
      const std::vector<float> m = values(Values::ordinary, k * d, 9);
      const std::vector<float> x = values(Values::ordinary, d, 10);
      const std::vector<double> m64(m.begin(), m.end());
      const std::vector<double> x64(x.begin(), x.end());
      std::vector<float> out(k);
      std::vector<double> out64(k);
      table.gemv(m.data(), x.data(), k, d, out.data());
      table.gemv_f64(m64.data(), x64.data(), k, d, out64.data());
      for (std::size_t row = 0; row < k; ++row) {
        REQUIRE(same_bits(out[row], table.dot(m.data() + row * d, x.data(), d)));
        REQUIRE(same_bits(out64[row], table.dot_f64(m64.data() + row * d, x64.data(), d)));
      }
    }
  }
}

TEST_CASE("kernels take any alignment and read nothing beyond their input", "[core][kernels]") {
  const KernelTable& table = each_table();
  const std::size_t misalignment = GENERATE(0, 1, 2, 3);
  CAPTURE(table.name, misalignment);
  const FloatingPointScope scope;
  for (const std::size_t d : dimensions()) {
    CAPTURE(d);
    const std::vector<float> a = values(Values::ordinary, d, 11);
    const std::vector<float> b = values(Values::ordinary, d, 12);
    const std::vector<double> a64(a.begin(), a.end());
    // A misaligned copy leaves some bytes of the page free; an aligned one leaves none.
    const AtPageEnd<float> pa(a, misalignment);
    const AtPageEnd<float> pb(b, misalignment);
    const AtPageEnd<double> pa64(a64, misalignment);
    REQUIRE(same_bits(table.dot(pa.data(), pb.data(), d), table.dot(a.data(), b.data(), d)));
    REQUIRE(same_bits(table.l1(pa.data(), pb.data(), d), table.l1(a.data(), b.data(), d)));
    REQUIRE(same_bits(table.squared_norm(pa.data(), d), table.squared_norm(a.data(), d)));
    REQUIRE(
        same_bits(table.dot_f64_f32(pa64.data(), pb.data(), d), table.dot_f64_f32(a64.data(), b.data(), d)));
    REQUIRE(same_bits(table.dot_f64(pa64.data(), pa64.data(), d), table.dot_f64(a64.data(), a64.data(), d)));
    REQUIRE(table.first_nonfinite(pa.data(), d) == d);
  }
}

TEST_CASE("the first NaN or infinity is found at every position", "[core][kernels]") {
  const KernelTable& table = each_table();
  const float bad = GENERATE(std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                             -std::numeric_limits<float>::infinity());
  CAPTURE(table.name, bad);
  const FloatingPointScope scope;
  for (const std::size_t d : {1, 16, 63, 64, 65, 200}) {
    std::vector<float> a = values(Values::mixed, d, 13);
    REQUIRE(table.first_nonfinite(a.data(), d) == d);
    for (std::size_t i = d; i-- > 0;) {
      a[i] = bad;  // those after it are bad as well
      REQUIRE(table.first_nonfinite(a.data(), d) == i);
    }
  }
}

TEST_CASE("a finite sum proves that the input was finite", "[core][kernels]") {
  const KernelTable& table = each_table();
  const float bad = GENERATE(std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                             -std::numeric_limits<float>::infinity());
  CAPTURE(table.name, bad);
  const FloatingPointScope scope;
  for (const std::size_t d : {1, 33, 70}) {
    for (std::size_t i = 0; i < d; ++i) {
      std::vector<float> a = values(Values::ordinary, d, 14);
      const std::vector<float> b(d, 0.0F);  // zeros would hide it, if anything could
      a[i] = bad;
      REQUIRE_FALSE(std::isfinite(table.dot(a.data(), b.data(), d)));
      REQUIRE_FALSE(std::isfinite(table.squared_l2(a.data(), b.data(), d)));
      REQUIRE_FALSE(std::isfinite(table.l1(a.data(), a.data(), d)));
      REQUIRE_FALSE(std::isfinite(table.squared_norm(a.data(), d)));
      REQUIRE_FALSE(std::isfinite(table.dot_and_squared_norm(b.data(), a.data(), d).dot));
    }
  }
}

#if defined(__x86_64__)
TEST_CASE("a host that flushes denormals to zero changes no bit", "[core][kernels]") {
  const KernelTable& table = each_table();
  CAPTURE(table.name);
  const std::size_t d = 100;
  const std::vector<float> a = values(Values::mixed, d, 15);
  const std::vector<float> tiny = values(Values::tiny, d, 16);
  const float expected_dot = model_dot(a, tiny);
  const float expected_norm = model_dot(tiny, tiny);
  const unsigned host = _mm_getcsr();
  _mm_setcsr(host | 0x8040);  // flush to zero, denormals are zero
  const float flushed_norm = table.squared_norm(tiny.data(), d);
  float dot = 0, norm = 0;
  {
    const FloatingPointScope scope;
    dot = table.dot(a.data(), tiny.data(), d);
    norm = table.squared_norm(tiny.data(), d);
  }
  const unsigned after = _mm_getcsr();
  _mm_setcsr(host);
  REQUIRE((after & 0x8040) == 0x8040);
  REQUIRE(flushed_norm == 0);  // so the scope is what makes the difference
  REQUIRE(same_bits(dot, expected_dot));
  REQUIRE(same_bits(norm, expected_norm));
}
#endif

TEST_CASE("the table in use is one that runs, and the environment can choose it", "[core][kernels]") {
  const auto tables = runnable_kernels();
  REQUIRE_FALSE(tables.empty());
  const char* wanted = std::getenv("ISOVEC_ISA");
  std::string expected = tables.back()->name;
  for (const KernelTable* table : tables) {
    if (wanted && std::string(table->name) == wanted) expected = wanted;
  }
  REQUIRE(std::string(kernels().name) == expected);
}
