// Scores of rows as they are stored: integers against sums in 64-bit integers, l1 of floats against float64.
// What is coded and transformed is tested beside the search that does it.

#include <cmath>
#include <cstring>
#include <isovec/buffer.hpp>
#include <isovec/error.hpp>
#include <random>

#include "catch.hpp"
#include "codec/vector_convert.hpp"
#include "index/scorer.hpp"

namespace {

using isovec::Error;
using isovec::codec::ElementType;
using isovec::index::Metric;
using isovec::index::Query;
using isovec::index::RowBatch;
using isovec::index::Scorer;

constexpr std::size_t kRows = 20;
constexpr std::size_t kHeader = 4;  // bytes before each row
constexpr std::size_t kShift = 1;   // so that rows are not aligned

// Whole numbers from -128 to 127, the ends among them; of bits 0 and 1.
isovec::Buffer<float> integers(std::mt19937& random, std::size_t d, ElementType type) {
  isovec::Buffer<float> values(d);
  for (float& value : values) {
    value = type == ElementType::bit ? static_cast<float>(random() % 2)
                                     : static_cast<float>(random() % 256) - 128;
  }
  return values;
}

isovec::Buffer<double> scores_of(const Query& query, const isovec::Buffer<isovec::Buffer<float>>& rows) {
  const std::size_t stride = kHeader + isovec::codec::bytes_of(query.type, query.vector.size());
  isovec::Buffer<std::byte> bytes(kShift + rows.size() * stride);
  isovec::Buffer<std::int64_t> rowids(rows.size());
  for (std::size_t r = 0; r < rows.size(); ++r) {
    isovec::Buffer<std::byte> row(stride - kHeader);
    isovec::codec::from_float32(rows[r], query.type, row);
    std::memcpy(bytes.data() + kShift + r * stride + kHeader, row.data(), row.size());
  }
  const std::unique_ptr<Scorer> scorer = Scorer::make(query);
  const std::span<const double> scores =
      scorer->score(RowBatch{bytes.data() + kShift + kHeader, stride, rowids, {}});
  return {scores.begin(), scores.end()};
}

double expected_score(Metric metric, const isovec::Buffer<float>& q, const isovec::Buffer<float>& x) {
  std::int64_t dot = 0, qq = 0, xx = 0, l1 = 0, l2 = 0;
  for (std::size_t i = 0; i < q.size(); ++i) {
    const auto a = static_cast<std::int64_t>(q[i]);
    const auto b = static_cast<std::int64_t>(x[i]);
    dot += a * b, qq += a * a, xx += b * b, l1 += std::abs(a - b), l2 += (a - b) * (a - b);
  }
  switch (metric) {
    case Metric::cosine:
      return static_cast<double>(dot) / std::sqrt(static_cast<double>(qq) * static_cast<double>(xx));
    case Metric::l2:
      return std::sqrt(static_cast<double>(l2));
    case Metric::dot:
      return -static_cast<double>(dot);
    case Metric::l1:
    case Metric::hamming:
    case Metric::jaccard:
      break;
  }
  if (metric == Metric::jaccard) return static_cast<double>(l1) / static_cast<double>(qq + xx - dot);
  return static_cast<double>(l1);  // of zeros and ones: the bits that differ
}

}  // namespace

TEST_CASE("integer rows are scored by sums that are exact", "[index][scorer]") {
  std::mt19937 random(11);
  for (const std::size_t d : {std::size_t{8}, std::size_t{24}, std::size_t{264}, std::size_t{8'192}}) {
    for (const Metric metric :
         {Metric::cosine, Metric::l2, Metric::dot, Metric::l1, Metric::hamming, Metric::jaccard}) {
      const ElementType type = isovec::index::is_of_bits(metric) ? ElementType::bit : ElementType::int8;
      CAPTURE(d, name_of(metric));
      Query query{metric, type, integers(random, d, type), nullptr, {}};
      isovec::Buffer<isovec::Buffer<float>> rows{
          query.vector, isovec::Buffer<float>(d, type == ElementType::bit ? 1 : -128)};
      while (rows.size() < kRows) rows.push_back(integers(random, d, type));
      const isovec::Buffer<double> scores = scores_of(query, rows);
      REQUIRE(scores.size() == kRows);
      for (std::size_t r = 0; r < kRows; ++r) {
        const double expected = expected_score(metric, query.vector, rows[r]);
        if (metric == Metric::cosine) {
          CHECK(std::abs(scores[r] - expected) <= 4 * 0x1p-53);  // product, root and quotient are rounded
        } else {
          CHECK(scores[r] == expected);
        }
      }
    }
  }
}

TEST_CASE("int8 rows and queries of zeros have no cosine", "[index][scorer]") {
  const isovec::Buffer<double> scores =
      scores_of({Metric::cosine, ElementType::int8, {1, 2}, nullptr, {}}, {{0, 0}, {-128, 0}});
  CHECK(std::isnan(scores[0]));
  CHECK(scores[1] < 0);
  CHECK(Scorer::make({Metric::cosine, ElementType::int8, {0, 0}, nullptr, {}}) == nullptr);
  CHECK_NOTHROW(Scorer::make({Metric::l1, ElementType::int8, {0, 0}, nullptr, {}}));
}

TEST_CASE("float rows of every kind are scored by l1 exactly where no sum is rounded", "[index][scorer]") {
  std::mt19937 random(12);
  std::normal_distribution<float> normal;
  for (const ElementType type : {ElementType::float32, ElementType::float16, ElementType::bfloat16}) {
    for (const std::size_t d : {std::size_t{1}, std::size_t{31}, std::size_t{768}}) {
      Query query{Metric::l1, type, isovec::Buffer<float>(d), nullptr, {}};
      isovec::Buffer<isovec::Buffer<float>> rows(kRows, isovec::Buffer<float>(d));
      // Multiples of 1/8 below 16 are exact in every type.
      const auto draw = [&] { return std::round(std::fmod(normal(random) * 4, 16.0F) * 8) / 8; };
      for (float& value : query.vector) value = draw();
      for (auto& row : rows) {
        for (float& value : row) value = draw();
      }
      const isovec::Buffer<double> scores = scores_of(query, rows);
      for (std::size_t r = 0; r < kRows; ++r) {
        double expected = 0;
        for (std::size_t i = 0; i < d; ++i)
          expected += std::abs(static_cast<double>(query.vector[i]) - rows[r][i]);
        CHECK(scores[r] == expected);  // multiples of 1/8 below 2^20: no sum is rounded
      }
    }
  }
}

TEST_CASE("a metric that the rows do not have is refused", "[index][scorer]") {
  const auto make = [](Metric metric, ElementType type) {
    return Scorer::make({metric, type, isovec::Buffer<float>(8, 1.0F), nullptr, {}});
  };
  for (const ElementType type :
       {ElementType::float32, ElementType::float16, ElementType::bfloat16, ElementType::int8})
    CHECK_THROWS_AS(make(Metric::hamming, type), Error);
  for (const Metric metric : {Metric::cosine, Metric::l2, Metric::dot, Metric::l1})
    CHECK_THROWS_AS(make(metric, ElementType::bit), Error);
  isovec::TransformParts parts;
  parts.input_dimensions = 8;
  parts.columns = 8;
  parts.output_dimensions = 8;
  const isovec::Transform identity(parts);
  for (const auto& [metric, type] :
       {std::pair{Metric::l1, ElementType::float32}, std::pair{Metric::l1, ElementType::int8},
        std::pair{Metric::hamming, ElementType::bit}}) {
    CHECK_THROWS_AS(Scorer::make({metric, type, isovec::Buffer<float>(8, 1.0F), &identity, {}}), Error);
  }
  CHECK_NOTHROW(Scorer::make({Metric::l2, ElementType::int8, isovec::Buffer<float>(8, 1.0F), &identity, {}}));
}
