// How often long work asks whether it shall stop: at least once in a few milliseconds, that is, for each few
// million numbers or for each 33 million products of a matrix. Asked at any time it stops, and nothing is
// left that a second run could not do.

#include <functional>

#include "catch.hpp"
#include "codec/npy.hpp"
#include "codec/svg_plot.hpp"
#include "core/isotropy.hpp"
#include "core/pairwise.hpp"
#include "core/rank_metrics.hpp"
#include "core/solve.hpp"
#include "core/work.hpp"
#include "fit_inputs.hpp"

using namespace isovec;
using namespace isovec::test;

namespace {

struct Stop {};

// Runs `work` and counts how often it asks; then stops it at the first, a middle and the last time.
long asked_by(const std::function<void(const Checkpoint&)>& work) {
  long asked = 0;
  work([&] { ++asked; });
  for (const long stop : {0L, asked / 2, asked - 1}) {
    if (asked == 0) break;
    CAPTURE(asked, stop);
    long count = 0;
    CHECK_THROWS_AS(work([&] {
                      if (count++ == stop) throw Stop();
                    }),
                    Stop);
    CHECK(count == stop + 1);
  }
  return asked;
}

constexpr std::size_t kDimensions = 300;
const Rows& rows() {
  static const Rows all = normal_rows(700, kDimensions, 1);
  return all;
}
const Statistics& statistics() {
  static const Statistics taken = statistics_of(rows());
  taken.settle({});  // once, so that every run does the same
  return taken;
}

Buffer<double> scattered(std::size_t n, std::size_t factor) {
  Buffer<double> values;
  for (std::size_t i = 0; i < n; ++i) values.push_back(static_cast<double>(i * factor % 100'003));
  return values;
}

}  // namespace

TEST_CASE("work asks once in a quarter of a million numbers", "[core][work]") {
  CHECK(asked_by([](const Checkpoint& checkpoint) {
          core::Work work(checkpoint);
          for (int i = 0; i < 1'000'000; ++i) work.done(1);
        }) == 4);
  const Checkpoint none;
  core::Work work(none);
  work.done(1'000'000'000);
}

TEST_CASE("fits of every method ask while they work", "[core][work]") {
  // An eigendecomposition in 300 dimensions visits 300^3 / 3 numbers for the reduction alone: 36 times a
  // quarter of a million.
  for (const char* spec : {"remove_top", "pca", "whiten", "whiten eps=1", "whiten basis=cholesky",
                           "whiten basis=zca-cor", "whiten basis=pca k=20"}) {
    CAPTURE(spec);
    CHECK(asked_by([&](const Checkpoint& checkpoint) {
            static_cast<void>(fit(statistics(), parse_spec(spec), checkpoint));
          }) >= 36);
  }
  // Kept rows that are summed after all: 150 of 300 dimensions, and then the fit.
  CHECK(asked_by([](const Checkpoint& checkpoint) {
          RowFitter fitter(parse_spec("pca k=10"));
          for (std::size_t r = 0; r < rows().count; ++r)
            fitter.add(rows()[r], 1, kFloat32Rounding, checkpoint);
          static_cast<void>(fitter.finish(checkpoint));
        }) >= 36);
  // Few rows: a product of 140 x 140 x 300.
  CHECK(asked_by([](const Checkpoint& checkpoint) {
          RowFitter fitter(parse_spec("pca k=10"));
          for (std::size_t r = 0; r < 140; ++r) fitter.add(rows()[r], 1, kFloat32Rounding, checkpoint);
          static_cast<void>(fitter.finish(checkpoint));
        }) >= 1);
}

TEST_CASE("statistics ask while they sum products, and go on where they were stopped", "[core][work]") {
  const Rows wide = normal_rows(300, 1200, 2);
  CHECK(asked_by([&](const Checkpoint& checkpoint) {
          Statistics sums;
          for (std::size_t r = 0; r < wide.count; ++r) sums.add(wide[r], 1, kFloat32Rounding, checkpoint);
          sums.settle(checkpoint);
        }) >= 10);  // 256 x 1200^2 / 2 products in pieces of 33 million, and the rest
  const Statistics whole = statistics_of(wide);
  Statistics stopped;
  for (std::size_t r = 0; r < wide.count; ++r) {
    for (bool taken = false; !taken;) {
      long count = 0;
      try {
        stopped.add(wide[r], 1, kFloat32Rounding, [&] {
          if (count++ == 1) throw Stop();
        });
        taken = true;
      } catch (const Stop&) {
      }
    }
  }
  CHECK(stopped.sums().second == whole.sums().second);
  CHECK(stopped.sums().first == whole.sums().first);
  const Statistics first = statistics_of(wide, {}, 0, 100), second = statistics_of(wide, {}, 100, 300);
  for (const Statistics* settled : {&first, &second, &whole}) settled->settle({});
  CHECK(asked_by([&](const Checkpoint& checkpoint) {
          Statistics both = first;
          both.merge(second, checkpoint);
        }) >= 2);  // a triangle of 720,000 numbers is moved
  CHECK(asked_by([&](const Checkpoint& checkpoint) {
          Statistics left = whole;
          left.subtract(second, checkpoint);
        }) >= 2);
}

TEST_CASE("reports on transforms and statistics ask while they work", "[core][work]") {
  const Transform zca = fit(statistics(), parse_spec("whiten eps=1"));
  const Transform pca = fit(statistics(), parse_spec("whiten basis=pca-cor eps=1"));
  const Transform projection = fit(statistics(), parse_spec("remove_top drop=40"));
  CHECK(asked_by([](const Checkpoint& c) { static_cast<void>(spectrum(statistics(), c)); }) >= 36);
  CHECK(asked_by([&](const Checkpoint& c) { static_cast<void>(components(zca, c)); }) >= 36);
  CHECK(asked_by([&](const Checkpoint& c) { static_cast<void>(components(pca, c)); }) >= 2);
  CHECK(asked_by([&](const Checkpoint& c) { static_cast<void>(drift(zca, statistics(), c)); }) >= 36);
  CHECK(asked_by([&](const Checkpoint& c) { static_cast<void>(compose(zca, pca, c)); }) >=
        36);  // least squares
  CHECK(asked_by([&](const Checkpoint& c) { static_cast<void>(compose(projection, zca, c)); }) >= 2);
  CHECK(asked_by([&](const Checkpoint& c) { static_cast<void>(projection.matrix(c)); }) >=
        14);  // 300 x 300 x 40
  CHECK(asked_by([](const Checkpoint& c) {
          core::Isotropy isotropy;
          for (std::size_t r = 0; r < rows().count; ++r) isotropy.add(rows()[r], 1, kFloat32Rounding, c);
          static_cast<void>(isotropy.report(c));
        }) >= 36);
  const Rows values = normal_rows(kDimensions, kDimensions, 3);
  const Buffer<double> matrix(values.values.begin(), values.values.end());
  CHECK(asked_by([&](const Checkpoint& c) { static_cast<void>(core::inverse(matrix, kDimensions, c)); }) >=
        20);
  CHECK(asked_by([&](const Checkpoint& c) {
          static_cast<void>(
              core::least_squares(matrix, kDimensions, kDimensions, Buffer<double>(kDimensions, 1), c));
        }) >= 36);
  const Rows large = normal_rows(500, 1000, 4);
  const auto file = codec::write_npy(std::span<const float>(large.values), 500, 1000);
  CHECK(asked_by([&](const Checkpoint& c) {
          static_cast<void>(codec::read_npy(codec::parse_npy(file), c));
        }) >= 2);
}

TEST_CASE("measures over pairs and over columns ask while they work", "[core][work]") {
  constexpr std::size_t kWide = 20'000;
  const Rows wide = normal_rows(300, kWide, 5);
  core::UnitRows units(kWide);
  for (std::size_t r = 0; r < wide.count; ++r) units.add(wide[r].data(), r);
  const core::InfoNceOptions both{.symmetric = true};
  // 64 rows at most against 256: a slice of 52 rows of so many dimensions.
  CHECK(asked_by([&](const Checkpoint& c) { static_cast<void>(core::uniformity(units, 2, c)); }) >= 8);
  CHECK(asked_by([&](const Checkpoint& c) { static_cast<void>(core::uniformity(units, 1e6, c)); }) >= 8);
  CHECK(asked_by([&](const Checkpoint& c) { static_cast<void>(core::cosine_histogram(units, 10, c)); }) >= 8);
  CHECK(asked_by([&](const Checkpoint& c) { static_cast<void>(core::info_nce(units, units, both, c)); }) >=
        10);
  const Buffer<double> x = scattered(100'000, 7919), y = scattered(100'000, 104'729);
  // Sorting 100,000 numbers takes 1.7 million comparisons.
  CHECK(asked_by([&](const Checkpoint& c) { static_cast<void>(core::spearman(x, y, c)); }) >= 80);
  CHECK(asked_by([&](const Checkpoint& c) { static_cast<void>(core::pearson(x, y, c)); }) >= 5);
  CHECK(asked_by([&](const Checkpoint& c) { static_cast<void>(core::ndcg(x, y, 1000, c)); }) >= 80);
  CHECK(asked_by([&](const Checkpoint& c) { static_cast<void>(core::recall(x, y, 1000, c)); }) >= 40);
  Buffer<codec::Spectrum> spectra(1);
  spectra[0].eigenvalues = x;
  std::sort(spectra[0].eigenvalues.rbegin(), spectra[0].eigenvalues.rend());
  CHECK(asked_by([&](const Checkpoint& c) { static_cast<void>(codec::plot_spectra(spectra, c)); }) >= 6);
}

TEST_CASE("a picture of many eigenvalues stays small and keeps its ends", "[core][work]") {
  Buffer<codec::Spectrum> spectra(1);
  for (std::size_t i = 0; i < 1'000'000; ++i)
    spectra[0].eigenvalues.push_back(1e6 / static_cast<double>(i + 1));
  const std::string svg = codec::plot_spectra(spectra);
  CHECK(svg.size() < 2'500'000);
  // The first is the greatest of seven decades, at the top left, and the last is the least, at the bottom
  // right.
  CHECK(svg.find("points=\"64.00,24.00 ") != std::string::npos);
  CHECK(svg.find("624.00,352.00 \"") != std::string::npos);
}
