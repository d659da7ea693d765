#include <algorithm>
#include <cmath>
#include <isovec/buffer.hpp>
#include <isovec/error.hpp>
#include <random>

#include "catch.hpp"
#include "core/pair_kernels.hpp"
#include "core/pairwise.hpp"

namespace {

using namespace isovec::core;
using Rows = isovec::Buffer<isovec::Buffer<float>>;

Rows random_rows(std::size_t n, std::size_t d, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Rows rows(n, isovec::Buffer<float>(d));
  for (auto& row : rows) {
    for (float& x : row) x = normal(random);
  }
  return rows;
}

UnitRows unit_rows(const Rows& rows) {
  UnitRows result(rows.front().size());
  for (const auto& row : rows) result.add(row.data(), hash_of_row(row, 0));
  return result;
}

double cosine(const isovec::Buffer<float>& a, const isovec::Buffer<float>& b) {
  double dot = 0;
  double aa = 0;
  double bb = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    dot += static_cast<double>(a[k]) * static_cast<double>(b[k]);
    aa += static_cast<double>(a[k]) * static_cast<double>(a[k]);
    bb += static_cast<double>(b[k]) * static_cast<double>(b[k]);
  }
  return dot / std::sqrt(aa * bb);
}

double brute_uniformity(const Rows& rows, double t) {
  double sum = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = i + 1; j < rows.size(); ++j)
      sum += std::exp(-t * (2 - 2 * cosine(rows[i], rows[j])));
  }
  const auto n = static_cast<double>(rows.size());
  return std::log(sum / (n * (n - 1) / 2));
}

// One direction of the loss; masked(i, j) pairs are left out.
template <typename Masked>
double brute_info_nce(const Rows& from, const Rows& to, double tau, Masked masked) {
  double loss = 0;
  for (std::size_t i = 0; i < from.size(); ++i) {
    long double sum = 0;
    for (std::size_t j = 0; j < to.size(); ++j) {
      if (i == j || !masked(i, j)) sum += std::exp(static_cast<long double>(cosine(from[i], to[j]) / tau));
    }
    loss += static_cast<double>(std::log(sum)) - cosine(from[i], to[i]) / tau;
  }
  return loss / static_cast<double>(from.size());
}

const auto kNoMask = [](std::size_t, std::size_t) { return false; };
const isovec::Checkpoint kGoOn = [] {};

}  // namespace

TEST_CASE("every pair kernel gives the dot products of all rows", "[core][pairwise]") {
  for (const PairKernels* kernels : runnable_pair_kernels()) {
    for (const std::size_t stride : {16U, 32U, 48U, 384U}) {
      const Rows a = random_rows(9, stride, 1);
      const Rows b = random_rows(13, stride, 2);
      isovec::Buffer<float> left;
      isovec::Buffer<float> right;
      for (const auto& row : a) left.insert(left.end(), row.begin(), row.end());
      for (const auto& row : b) right.insert(right.end(), row.begin(), row.end());
      for (std::size_t m = 0; m <= 9; ++m) {
        for (std::size_t n = 0; n <= 13; ++n) {
          isovec::Buffer<float> out(m * n + 1, 7.5F);
          kernels->products(left.data(), m, right.data(), n, stride, out.data());
          REQUIRE(out.back() == 7.5F);
          for (std::size_t i = 0; i < m; ++i) {
            for (std::size_t j = 0; j < n; ++j) {
              double expected = 0;
              double magnitude = 0;
              for (std::size_t k = 0; k < stride; ++k) {
                const double term = static_cast<double>(a[i][k]) * static_cast<double>(b[j][k]);
                expected += term;
                magnitude += std::abs(term);
              }
              CAPTURE(kernels->name, stride, m, n, i, j);
              // At most stride + 4 roundings, each of half a unit of the last place of a partial sum.
              REQUIRE(std::abs(static_cast<double>(out[i * n + j]) - expected) <=
                      static_cast<double>(stride + 4) * 0x1p-24 * magnitude);
            }
          }
        }
      }
    }
  }
}

// A cosine of float32 unit rows is off by at most (d + 6) units of 2^-24; what follows from that is the bound
// of each measure.
TEST_CASE("uniformity equals the sum over all pairs, across the edges of chunks", "[core][pairwise]") {
  for (const std::size_t n : {2U, 3U, 63U, 64U, 65U, 255U, 256U, 257U, 513U, 600U}) {
    for (const std::size_t d : {1U, 3U, 16U, 50U}) {
      const Rows rows = random_rows(n, d, static_cast<std::uint32_t>(n + d));
      for (const double t : {2.0, 0.5}) {
        const double bound = 2 * t * static_cast<double>(d + 6) * 0x1p-24;
        CAPTURE(n, d, t);
        CHECK(std::abs(uniformity(unit_rows(rows), t, kGoOn) - brute_uniformity(rows, t)) <= bound);
      }
    }
  }
}

TEST_CASE("InfoNCE equals the softmax written out, in both directions", "[core][pairwise]") {
  for (const std::size_t n : {1U, 2U, 65U, 256U, 300U}) {
    const std::size_t d = 12;
    const Rows queries = random_rows(n, d, 1);
    Rows positives = queries;
    const Rows noise = random_rows(n, d, 2);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t k = 0; k < d; ++k) positives[i][k] += noise[i][k];
    }
    for (const double tau : {1.0, 0.05, 0.001}) {
      const double bound = 2 / tau * static_cast<double>(d + 6) * 0x1p-24;
      const double forth = brute_info_nce(queries, positives, tau, kNoMask);
      const double back = brute_info_nce(positives, queries, tau, kNoMask);
      const UnitRows q = unit_rows(queries);
      const UnitRows p = unit_rows(positives);
      CAPTURE(n, tau);
      CHECK(std::abs(info_nce(q, p, {tau, false, false}, kGoOn) - forth) <= bound);
      CHECK(std::abs(info_nce(q, p, {tau, true, false}, kGoOn) - (forth + back) / 2) <= bound);
    }
  }
}

TEST_CASE("masked pairs are those that share a query or a positive", "[core][pairwise]") {
  Rows queries = random_rows(70, 8, 1);
  Rows positives = random_rows(70, 8, 2);
  queries[3] = queries[66];
  positives[5] = positives[69];
  const auto masked = [&](std::size_t i, std::size_t j) {
    return queries[i] == queries[j] || positives[i] == positives[j];
  };
  const double bound = 2 / 0.1 * 14 * 0x1p-24;
  const double forth = brute_info_nce(queries, positives, 0.1, masked);
  const double back = brute_info_nce(positives, queries, 0.1, masked);
  const UnitRows q = unit_rows(queries);
  const UnitRows p = unit_rows(positives);
  CHECK(std::abs(info_nce(q, p, {0.1, false, true}, kGoOn) - forth) <= bound);
  CHECK(std::abs(info_nce(q, p, {0.1, true, true}, kGoOn) - (forth + back) / 2) <= bound);
  CHECK(std::abs(forth - brute_info_nce(queries, positives, 0.1, kNoMask)) > 1e-4);
}

TEST_CASE("a histogram counts every pair once", "[core][pairwise]") {
  const Rows rows = random_rows(300, 5, 4);
  for (const std::size_t bins : {1U, 2U, 7U, 40U}) {
    const isovec::Buffer<std::uint64_t> counts = cosine_histogram(unit_rows(rows), bins, kGoOn);
    isovec::Buffer<std::uint64_t> low(bins);  // pairs that a rounding of the cosine cannot move
    std::uint64_t near_an_edge = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (std::size_t j = i + 1; j < rows.size(); ++j) {
        const double place = (cosine(rows[i], rows[j]) + 1) / 2 * static_cast<double>(bins);
        const double margin = static_cast<double>(bins) * 11 * 0x1p-24;
        if (std::floor(place - margin) != std::floor(place + margin)) {
          ++near_an_edge;
        } else {
          ++low[static_cast<std::size_t>(place)];
        }
      }
    }
    std::uint64_t total = 0;
    for (std::size_t b = 0; b < bins; ++b) {
      CAPTURE(bins, b);
      CHECK(counts[b] >= low[b]);
      CHECK(counts[b] <= low[b] + near_an_edge);
      total += counts[b];
    }
    CHECK(total == 300 * 299 / 2);
  }
  const Rows poles = {{1, 0}, {-1, 0}, {2, 0}};
  CHECK(cosine_histogram(unit_rows(poles), 4, kGoOn) == isovec::Buffer<std::uint64_t>{2, 0, 0, 1});
}

TEST_CASE("a sample depends on the rows and the seed, not on their order", "[core][pairwise]") {
  const std::size_t n = kMostPairedRows + 500;
  Rows rows = random_rows(n, 2, 5);
  const auto sample_of = [](const Rows& from, std::uint64_t seed) {
    RowSample sample(2, seed);
    for (const auto& row : from) sample.add(row);
    isovec::Buffer<std::uint64_t> hashes;
    for (std::size_t i = 0; i < sample.rows().size(); ++i) hashes.push_back(sample.rows().hash(i));
    std::sort(hashes.begin(), hashes.end());
    CHECK(sample.seen() == from.size());
    return hashes;
  };
  const auto first = sample_of(rows, 1);
  CHECK(first.size() == kMostPairedRows);
  isovec::Buffer<std::uint64_t> all;
  for (const auto& row : rows) all.push_back(hash_of_row(row, 1));
  std::sort(all.begin(), all.end());
  all.resize(kMostPairedRows);
  CHECK(first == all);  // the least hashes
  std::shuffle(rows.begin(), rows.end(), std::mt19937(6));
  CHECK(sample_of(rows, 1) == first);
  CHECK(sample_of(rows, 2) != first);
}

TEST_CASE("too many rows without a seed are refused, zero rows passed over", "[core][pairwise]") {
  RowSample sample(1, std::nullopt);
  const float one[] = {1};
  const float zero[] = {0};
  for (std::size_t i = 0; i < kMostPairedRows; ++i) sample.add(one);
  sample.add(zero);
  CHECK(sample.rows().size() == kMostPairedRows);
  CHECK_THROWS_AS(sample.add(one), isovec::Error);
}

TEST_CASE("a checkpoint that throws stops the work", "[core][pairwise]") {
  const UnitRows rows = unit_rows(random_rows(2000, 4, 1));
  int calls = 0;
  const isovec::Checkpoint stop = [&] {
    if (++calls == 3) throw isovec::Error(isovec::Code::interrupted, "stop");
  };
  CHECK_THROWS_AS(uniformity(rows, 2, stop), isovec::Error);
  CHECK(calls == 3);
}
