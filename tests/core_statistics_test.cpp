#include <isovec/buffer.hpp>
#include <isovec/error.hpp>
#include <limits>

#include "catch.hpp"
#include "core/matrix_kernels.hpp"
#include "core/moment_sums.hpp"
#include "fit_inputs.hpp"

using namespace isovec;
using namespace isovec::test;

namespace {

// The covariance that statistics stand for, full.
Matrix covariance_from(const Statistics& statistics) {
  const Sums& sums = statistics.sums();
  const std::size_t columns = sums.columns();
  Matrix covariance(columns, columns);
  for (std::size_t i = 0; i < columns; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      const double centered =
          sums.second[core::triangle(i) + j] - sums.first[i] * sums.first[j] / sums.weight;
      covariance(i, j) = covariance(j, i) = centered / statistics.degrees_of_freedom();
    }
  }
  return covariance;
}

// Everything that the sums say about the rows, free of where the shift lies.
void check_same(const Statistics& a, const Statistics& b, double tolerance) {
  CHECK(a.rows() == b.rows());
  CHECK(a.sums().positive_rows == b.sums().positive_rows);
  CHECK(std::abs(a.effective_rows() / b.effective_rows() - 1) <= tolerance);
  const Matrix expected = covariance_from(b);
  CHECK(relative_difference(covariance_from(a), expected) <= tolerance);
  const isovec::Buffer<double> mean = a.mean(), expected_mean = b.mean();
  const double spread = std::sqrt(expected(0, 0));
  for (std::size_t j = 0; j < mean.size(); ++j)
    CHECK(std::abs(mean[j] - expected_mean[j]) <= tolerance * 100 * spread);
  const Sums moved = core::moved_to(a.sums(), b.sums().shift);
  CHECK(std::abs(moved.fourth / b.sums().fourth - 1) <= 100 * tolerance);
}

std::string message_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("mean and covariance equal two passes in float64, also far from the origin", "[core][statistics]") {
  const double offset = GENERATE(0.0, 30.0, 1000.0);
  const std::size_t dimensions = GENERATE(std::size_t{1}, std::size_t{3}, std::size_t{17}, std::size_t{64});
  CAPTURE(offset, dimensions);
  const Rows rows = normal_rows(700, dimensions, 5, offset);
  const Statistics statistics = statistics_of(rows);
  const Matrix expected = covariance_of(rows, static_cast<double>(rows.count - 1));
  // Sums of n terms of float64, about a shift within a few spreads of the mean.
  CHECK(relative_difference(covariance_from(statistics), expected) <= 700 * 2.3e-16 * 16);
  const isovec::Buffer<double> mean = mean_of(rows);
  for (std::size_t j = 0; j < dimensions; ++j) {
    CHECK(std::abs(statistics.mean()[j] - mean[j]) <= 700 * 2.3e-16 * (offset + 4));
  }
}

TEST_CASE("float32 products stay close to float64 ones and never lose the diagonal", "[core][statistics]") {
  const Rows rows = normal_rows(3000, 40, 6, 30, 1e4);
  StatisticsOptions options;
  options.precision = Precision::float32;
  const Matrix single = covariance_from(statistics_of(rows, options));
  const Matrix expected = covariance_of(rows, static_cast<double>(rows.count - 1));
  CHECK(relative_difference(single, expected) <= 256 * 6e-8);  // the worst case within a block
  CHECK(relative_difference(single, expected) > 0);            // and it is not the float64 path
}

TEST_CASE("merging parts in any grouping equals one pass", "[core][statistics]") {
  const Rows rows = normal_rows(900, 12, 7, 30, 1e6);
  const Statistics whole = statistics_of(rows);
  const std::size_t cut = GENERATE(std::size_t{1}, std::size_t{256}, std::size_t{450}, std::size_t{899});
  CAPTURE(cut);
  Statistics left = statistics_of(rows, {}, 0, cut), right = statistics_of(rows, {}, cut);
  SECTION("left into right") {
    right.merge(left);
    check_same(right, whole, 1e-12);
  }
  SECTION("right into left") {
    left.merge(right);
    check_same(left, whole, 1e-12);
  }
  SECTION("into nothing") {
    Statistics all;
    all.merge(left);
    all.merge(right);
    check_same(all, whole, 1e-12);
  }
  SECTION("nothing into it") {
    left.merge(Statistics());
    left.merge(right);
    check_same(left, whole, 1e-12);
  }
}

TEST_CASE("a million rows at condition 1e6 and a mean of 30 spreads are sound, in one pass and in parts",
          "[core][statistics]") {
  constexpr std::size_t kRows = 1000000, kColumns = 6, kPart = 140000;
  constexpr double kCondition = 1e6;
  const Rows rows = normal_rows(kRows, kColumns, 18, 30, kCondition);
  // The reference: two passes in long double.
  isovec::Buffer<long double> mean(kColumns), products(kColumns * kColumns);
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t j = 0; j < kColumns; ++j) mean[j] += static_cast<long double>(rows[r][j]) / kRows;
  }
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t i = 0; i < kColumns; ++i) {
      for (std::size_t j = 0; j < kColumns; ++j) {
        products[i * kColumns + j] += (static_cast<long double>(rows[r][i]) - mean[i]) *
                                      (static_cast<long double>(rows[r][j]) - mean[j]) / (kRows - 1);
      }
    }
  }
  const Matrix sigma(kColumns, kColumns, {products.begin(), products.end()});

  const Statistics whole = statistics_of(rows);
  Statistics merged;
  for (std::size_t begin = 0; begin < kRows; begin += kPart) {
    merged.merge(statistics_of(rows, {}, begin, begin + kPart));
  }
  Statistics more = statistics_of(rows);
  more.merge(statistics_of(rows, {}, 0, kPart));
  more.subtract(statistics_of(rows, {}, 0, kPart));
  for (const Statistics& statistics : {whole, merged, more}) {
    CHECK(statistics.rows() == kRows);
    CHECK(relative_difference(covariance_from(statistics), sigma) <= 1e-12);
    for (std::size_t j = 0; j < kColumns; ++j) {
      CHECK(std::abs(statistics.mean()[j] - static_cast<double>(mean[j])) <= 1e-12 * 30);
    }
    const Matrix w = matrix_of(fit(statistics, parse_spec("whiten")));
    CHECK(relative_difference(w * sigma * transposed(w), identity(kColumns)) <= 1e-12 * kCondition);
  }
}

TEST_CASE("parts far apart merge to one pass", "[core][statistics]") {
  Rows rows = normal_rows(400, 8, 8, 0);
  for (std::size_t r = 200; r < 400; ++r) {
    for (std::size_t j = 0; j < 8; ++j) rows.values[r * 8 + j] += 1000.0F;
  }
  Statistics left = statistics_of(rows, {}, 0, 200);
  left.merge(statistics_of(rows, {}, 200));
  check_same(left, statistics_of(rows), 1e-12);
}

TEST_CASE("subtracting a part leaves the statistics of the rest", "[core][statistics]") {
  const Rows rows = normal_rows(900, 12, 9, 30, 1e4);
  Statistics whole = statistics_of(rows);
  whole.subtract(statistics_of(rows, {}, 300));
  check_same(whole, statistics_of(rows, {}, 0, 300), 1e-12 * 100);
  SECTION("and all of it leaves nothing") {
    whole.subtract(statistics_of(rows, {}, 0, 300));
    CHECK(whole.rows() == 0);
    CHECK(whole.sums().weight == 0);
    whole.add(rows[5]);
    whole.add(rows[6]);
    check_same(whole, statistics_of(rows, {}, 5, 7), 1e-12);
  }
}

TEST_CASE("a window that slides by adding and removing equals the rows inside it", "[core][statistics]") {
  const Rows rows = normal_rows(1200, 6, 10, 5);
  Statistics window;
  for (std::size_t r = 0; r < rows.count; ++r) {
    window.add(rows[r], 1 + static_cast<double>(r % 3));
    if (r >= 50) window.remove(rows[r - 50], 1 + static_cast<double>((r - 50) % 3));
  }
  Statistics inside;
  for (std::size_t r = rows.count - 50; r < rows.count; ++r)
    inside.add(rows[r], 1 + static_cast<double>(r % 3));
  check_same(window, inside, 1e-11);
  SECTION("an emptied window starts anew") {
    for (std::size_t r = rows.count - 50; r < rows.count; ++r) {
      window.remove(rows[r], 1 + static_cast<double>(r % 3));
    }
    CHECK(window.rows() == 0);
    CHECK_THROWS_AS(window.remove(rows[0]), Error);
    window.add(rows[3]);
    CHECK(window.mean()[0] == static_cast<double>(rows[3][0]));
  }
}

TEST_CASE("a frequency of 2 is the row twice", "[core][statistics]") {
  const Rows rows = normal_rows(60, 5, 11);
  StatisticsOptions options;
  options.weights = Weights::frequency;
  Statistics weighted(options), repeated(options);
  for (std::size_t r = 0; r < rows.count; ++r) {
    const std::size_t times = r % 3;
    weighted.add(rows[r], static_cast<double>(times));
    for (std::size_t t = 0; t < times; ++t) repeated.add(rows[r]);
  }
  CHECK(weighted.degrees_of_freedom() == repeated.degrees_of_freedom());
  CHECK(weighted.effective_rows() == repeated.effective_rows());
  CHECK(relative_difference(covariance_from(weighted), covariance_from(repeated)) <= 1e-12);
}

TEST_CASE("importance weights count by their ratios only", "[core][statistics]") {
  const Rows rows = normal_rows(80, 5, 12);
  Statistics small, large;
  isovec::Buffer<double> weights;
  for (std::size_t r = 0; r < rows.count; ++r) {
    weights.push_back(static_cast<double>(r % 7));
    small.add(rows[r], weights.back());
    large.add(rows[r], 1e6 * weights.back());
  }
  double total = 0, squares = 0;
  for (const double w : weights) {
    total += w;
    squares += w * w;
  }
  const Matrix expected = covariance_of(rows, total - squares / total, weights);
  CHECK(relative_difference(covariance_from(small), expected) <= 1e-12);
  CHECK(relative_difference(covariance_from(large), expected) <= 1e-12);
  CHECK(std::abs(small.effective_rows() - total * total / squares) <= 1e-10);
  CHECK(small.sums().positive_rows == 68);
}

TEST_CASE("normalize=before takes rows at norm 1 and counts zero rows", "[core][statistics]") {
  Rows rows = normal_rows(50, 4, 13);
  StatisticsOptions options;
  options.normalize = true;
  options.slice = 3;
  Statistics statistics(options);
  Rows units{50, 3, {}};
  for (std::size_t r = 0; r < rows.count; ++r) {
    statistics.add(rows[r]);
    double squares = 0;
    for (std::size_t j = 0; j < 3; ++j)
      squares += static_cast<double>(rows[r][j]) * static_cast<double>(rows[r][j]);
    for (std::size_t j = 0; j < 3; ++j) {
      units.values.push_back(static_cast<float>(static_cast<double>(rows[r][j]) / std::sqrt(squares)));
    }
  }
  const isovec::Buffer<float> zero_head = {0, 0, 0, 1};
  statistics.add(zero_head);
  CHECK(statistics.rows() == 50);
  CHECK(statistics.sums().zero_rows == 1);
  CHECK(statistics.dimensions() == 4);
  // The reference rows were rounded to float32.
  CHECK(relative_difference(covariance_from(statistics), covariance_of(units, 49)) <= 1e-5);
}

TEST_CASE("first moments keep numbers for each coordinate, none for pairs", "[core][statistics]") {
  StatisticsOptions options;
  options.moments = Moments::first;
  Statistics statistics(options);
  const isovec::Buffer<float> row(kMaxDimensions, 1.5F);
  statistics.add(row);
  statistics.add(row);
  CHECK(statistics.sums().second.size() == kMaxDimensions);
  CHECK(statistics.mean().back() == 1.5);
}

TEST_CASE("rows that cannot be summed are refused by name, and nothing is lost", "[core][statistics]") {
  const Rows rows = normal_rows(3, 4, 14);
  Statistics statistics = statistics_of(rows);
  const isovec::Buffer<float> with_nan = {1, 2, std::numeric_limits<float>::quiet_NaN(), 4};
  const isovec::Buffer<float> with_infinity = {1, std::numeric_limits<float>::infinity(), 3, 4};
  const isovec::Buffer<float> long_vector = {2e18F, 0, 0, 0}, short_row = {1, 2, 3}, empty;
  CHECK(message_of([&] { statistics.add(with_nan); }) == "element 2 is NaN or infinite");
  CHECK(message_of([&] { statistics.add(with_infinity); }) == "element 1 is NaN or infinite");
  CHECK(message_of([&] { statistics.add(long_vector); }).find("1e18") != std::string::npos);
  CHECK(message_of([&] { statistics.add(short_row); }) ==
        "dimensions differ: the first row has 4, this one 3");
  CHECK(message_of([&] { statistics.add(rows[0], -1); }).find("weight") != std::string::npos);
  for (const double weight :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), 1e101, 1e-101}) {
    CHECK(message_of([&] { statistics.add(rows[0], weight); }).find("from 1e-100 to 1e100") !=
          std::string::npos);
  }
  CHECK_THROWS_AS(Statistics().add(empty), Error);
  check_same(statistics, statistics_of(rows), 1e-12);
  const std::string too_wide =
      message_of([&] { Statistics().add(isovec::Buffer<float>(kMaxSecondMomentDimensions + 1, 1.0F)); });
  CHECK(too_wide.find("268533768 bytes") != std::string::npos);
  CHECK(too_wide.find("8192") != std::string::npos);
}

TEST_CASE("statistics that are no part of others are not subtracted", "[core][statistics]") {
  const Rows rows = normal_rows(100, 4, 15), others = normal_rows(60, 4, 16, 50);
  Statistics whole = statistics_of(rows, {}, 0, 60);
  CHECK_THROWS_AS(whole.subtract(statistics_of(rows)), Error);
  CHECK_THROWS_AS(whole.subtract(statistics_of(others, {}, 0, 30)), Error);
  CHECK_THROWS_AS(whole.subtract(statistics_of(normal_rows(10, 5, 17))), Error);
  StatisticsOptions options;
  options.weights = Weights::frequency;
  CHECK_THROWS_AS(whole.subtract(statistics_of(rows, options, 0, 10)), Error);
  CHECK_THROWS_AS(whole.merge(statistics_of(rows, options, 0, 10)), Error);
  check_same(whole, statistics_of(rows, {}, 0, 60), 1e-12);
}

TEST_CASE("options read back from their text, and unknown ones list what applies", "[core][statistics]") {
  const std::string text = "slice=8 normalize=before weights=frequency precision=float moments=first";
  CHECK(to_text(parse_statistics_options(text)) == text);
  CHECK(to_text(parse_statistics_options("weights=importance,normalize=none precision=double")).empty());
  for (const char* bad : {"weights=2", "normalize=after", "slice=0", "slice=-1", "slice=1.5",
                          "weight=frequency", "weights=", "precision", "slice=3 slice=4"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse_statistics_options(bad), Error);
  }
  CHECK(message_of([] {
          static_cast<void>(parse_statistics_options("colour=red"));
        }).find("weights=importance") != std::string::npos);
}

TEST_CASE("products of rows are the same sums on every instruction set", "[core][statistics][kernels]") {
  const std::size_t columns = GENERATE(std::size_t{1}, std::size_t{7}, std::size_t{24}, std::size_t{49},
                                       std::size_t{96}, std::size_t{130});
  const std::size_t count = GENERATE(std::size_t{1}, std::size_t{5}, std::size_t{256});
  const Rows rows = normal_rows(count, columns, 18);
  const isovec::Buffer<double> left(rows.values.begin(), rows.values.end());
  isovec::Buffer<double> weights(count);
  for (std::size_t r = 0; r < count; ++r) weights[r] = r % 5 == 4 ? -0.5 : 1 + static_cast<double>(r % 3);
  for (const core::MatrixKernels* kernels : core::runnable_matrix_kernels()) {
    CAPTURE(columns, count, kernels->name);
    isovec::Buffer<double> sums(core::triangle(columns), 1), single(sums),
        workspace(kernels->workspace(columns));
    kernels->add_products(left.data(), left.data(), weights.data(), count, columns, 0, columns, sums.data(),
                          workspace.data());
    kernels->add_products_f32(left.data(), left.data(), weights.data(), count, columns, 0, columns,
                              single.data(), workspace.data());
    for (std::size_t i = 0, index = 0; i < columns; ++i) {
      for (std::size_t j = 0; j <= i; ++j, ++index) {
        double expected = 1, size = 1;
        for (std::size_t r = 0; r < count; ++r) {
          const double term = weights[r] * left[r * columns + i] * left[r * columns + j];
          expected += term;
          size += std::abs(term);
        }
        REQUIRE(std::abs(sums[index] - expected) <= static_cast<double>(count + 2) * 2.3e-16 * size);
        REQUIRE(std::abs(single[index] - expected) <= static_cast<double>(count + 4) * 1.2e-7 * size);
      }
    }
  }
}
