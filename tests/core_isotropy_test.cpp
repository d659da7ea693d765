#include "catch.hpp"
#include "codec/isotropy_json.hpp"
#include "core/isotropy.hpp"
#include "core/rank_metrics.hpp"
#include "fit_inputs.hpp"
#include "fixtures/iris.hpp"

using namespace isovec;
using namespace isovec::test;
using core::Isotropy;
using core::IsotropyReport;

namespace {

Rows iris_rows() {
  Rows rows{iris::kRows, iris::kDimensions, {}};
  for (const auto& row : iris::kMillimetres) rows.values.insert(rows.values.end(), row.begin(), row.end());
  return rows;
}

IsotropyReport report_of(const Rows& rows) {
  Isotropy isotropy;
  for (std::size_t r = 0; r < rows.count; ++r) isotropy.add(rows[r]);
  return isotropy.report();
}

Rows transformed(const Rows& rows, const Transform& transform) {
  Rows out{rows.count, transform.output_dimensions(), {}};
  out.values.resize(out.count * out.dimensions);
  for (std::size_t r = 0; r < rows.count; ++r) {
    transform.apply(rows[r], std::span<float>(out.values).subspan(r * out.dimensions, out.dimensions));
  }
  return out;
}

// Mean and squared mean of the cosine over all pairs of different rows, weighted, one by one.
std::pair<double, double> brute_force(const Rows& rows, const isovec::Buffer<double>& weights) {
  double mean = 0, squares = 0, total = 0;
  for (std::size_t a = 0; a < rows.count; ++a) {
    for (std::size_t b = 0; b < rows.count; ++b) {
      if (a == b) continue;
      const isovec::Buffer<double> x(rows[a].begin(), rows[a].end()), y(rows[b].begin(), rows[b].end());
      const double c = test::cosine(x, y), w = weights[a] * weights[b];
      mean += w * c;
      squares += w * c * c;
      total += w;
    }
  }
  return {mean / total, squares / total};
}

bool finds(const IsotropyReport& report, std::string_view part) {
  for (const std::string& finding : report.findings) {
    if (finding.find(part) != std::string::npos) return true;
  }
  return false;
}

void check_measures(const IsotropyReport& report, const iris::Measures& expected, double tolerance) {
  CHECK(std::abs(report.mean_cosine - expected.mean_cosine) <= tolerance);
  CHECK(std::abs(report.cosine_deviation * report.cosine_deviation - expected.variance_of_cosine) <=
        tolerance);
  CHECK(std::abs(report.mean_energy - expected.mean_energy) <= tolerance);
  CHECK(std::abs(report.participation_ratio - expected.participation_ratio) <= tolerance * 10);
  CHECK(std::abs(report.iso_score - expected.iso_score) <= tolerance * 10);
  CHECK(std::abs(report.condition / expected.condition - 1) <= tolerance * 10);
  const auto largest =
      std::max_element(expected.share_of_mean_cosine.begin(), expected.share_of_mean_cosine.end());
  CHECK(report.rogue == static_cast<std::size_t>(largest - expected.share_of_mean_cosine.begin()));
  CHECK(std::abs(report.rogue_share - *largest) <= tolerance * 100);
}

}  // namespace

TEST_CASE("the report of iris equals the reference, raw, centered and whitened",
          "[core][isotropy][fixture]") {
  const Rows rows = iris_rows();
  check_measures(report_of(rows), iris::kRawMeasures, 1e-9);
  // After a transform rows are float32.
  check_measures(report_of(transformed(rows, fit_rows(rows, "center"))), iris::kCenteredMeasures, 1e-6);
  check_measures(report_of(transformed(rows, fit_rows(rows, "whiten"))), iris::kWhiteMeasures, 1e-5);
}

TEST_CASE("cosines over all pairs are exact, without any pair", "[core][isotropy]") {
  const Rows rows = normal_rows(90, 7, 50, 1);
  isovec::Buffer<double> weights;
  Isotropy isotropy;
  for (std::size_t r = 0; r < rows.count; ++r) {
    weights.push_back(static_cast<double>(r % 4));
    isotropy.add(rows[r], weights.back());
  }
  const IsotropyReport report = isotropy.report();
  const auto [mean, squares] = brute_force(rows, weights);
  CHECK(std::abs(report.mean_cosine - mean) <= 1e-12);
  CHECK(std::abs(report.cosine_deviation - std::sqrt(squares - mean * mean)) <= 1e-12);
  CHECK(std::abs(report.effective_dimension - 1 / squares) <= 1e-10);
}

TEST_CASE("reports of merged parts equal that of the whole", "[core][isotropy]") {
  const Rows rows = normal_rows(300, 9, 51, 3);
  Isotropy whole, left, right;
  for (std::size_t r = 0; r < rows.count; ++r) {
    whole.add(rows[r], 1 + static_cast<double>(r % 2));
    (r < 111 ? left : right).add(rows[r], 1 + static_cast<double>(r % 2));
  }
  Isotropy merged;
  merged.merge(left);
  merged.merge(right);
  merged.merge(Isotropy());
  const IsotropyReport a = merged.report(), b = whole.report();
  CHECK(a.rows == 300);
  for (const auto field :
       {&IsotropyReport::norm_mean, &IsotropyReport::norm_deviation, &IsotropyReport::norm_min,
        &IsotropyReport::norm_max, &IsotropyReport::mean_cosine, &IsotropyReport::cosine_deviation,
        &IsotropyReport::participation_ratio, &IsotropyReport::condition, &IsotropyReport::top_share}) {
    CHECK(std::abs(a.*field / b.*field - 1) <= 1e-9);
  }
}

TEST_CASE("norms are those of the rows", "[core][isotropy]") {
  const Rows rows{4, 2, {3, 4, 6, 8, 0, 5, 0, 0}};
  const IsotropyReport report = report_of(rows);
  CHECK(report.norm_mean == 5);
  CHECK(std::abs(report.norm_deviation - std::sqrt(12.5)) <= 1e-14);
  CHECK(report.norm_min == 0);
  CHECK(report.norm_max == 10);
  CHECK(report.zero_rows == 1);
  CHECK(finds(report, "1 row is zero"));
}

TEST_CASE("duplicates, dead and rogue coordinates and anisotropy are found and said", "[core][isotropy]") {
  Rows rows = normal_rows(400, 20, 52, 0, 1);
  for (std::size_t r = 0; r < rows.count; ++r) {
    rows.values[r * 20 + 3] = 0.25F;  // dead
    rows.values[r * 20 + 11] += 30;   // rogue
    if (r >= 390) {                   // ten duplicates
      for (std::size_t j = 0; j < 20; ++j) rows.values[r * 20 + j] = rows.values[(r - 390) * 20 + j];
    }
  }
  const IsotropyReport report = report_of(rows);
  CHECK(report.dead == isovec::Buffer<std::size_t>{3});
  CHECK(report.rank == 19);
  CHECK(report.rogue == 11);
  CHECK(report.rogue_share > 0.95);
  CHECK(report.duplicate_rows == 10);
  CHECK(report.mean_cosine > 0.9);
  CHECK(finds(report, "point one way"));
  CHECK(finds(report, "coordinate 11 alone"));
  CHECK(finds(report, "10 rows repeat"));
  CHECK(finds(report, "the first is 3"));
  CHECK_FALSE(finds(report, "fewer than 10 rows"));
  CHECK(codec::to_json(report).find("\"dead\":[3]") != std::string::npos);
}

TEST_CASE("an isotropic set is told apart", "[core][isotropy]") {
  const IsotropyReport report = report_of(normal_rows(3000, 4, 53, 0, 1));
  CHECK(std::abs(report.mean_cosine) < 0.05);
  CHECK(finds(report, "do not point one way"));
  CHECK_FALSE(finds(report, "alone makes"));
}

TEST_CASE("one row and equal rows make a report without false numbers", "[core][isotropy]") {
  const Rows rows = normal_rows(1, 3, 54);
  Isotropy one;
  one.add(rows[0]);
  CHECK(std::isnan(one.report().mean_cosine));
  CHECK(std::isnan(one.report().participation_ratio));
  CHECK(codec::to_json(one.report()).find("\"mean_cosine\":null") != std::string::npos);
  one.add(rows[0]);
  CHECK(std::abs(one.report().mean_cosine - 1) <= 1e-15);
  CHECK(std::isnan(one.report().participation_ratio));
  CHECK(one.report().dead.size() == 3);
  CHECK(codec::to_json(Isotropy().report()).find("\"n\":0") != std::string::npos);
}

TEST_CASE("ranks share ties, correlations equal their formula", "[core][metrics]") {
  const isovec::Buffer<double> values = {3, 1, 4, 1, 5};
  CHECK(core::mid_ranks(values) == isovec::Buffer<double>{3, 1.5, 4, 1.5, 5});
  const isovec::Buffer<double> x = {1, 2, 3, 4, 5}, up = {2, 4, 8, 16, 32}, down = {5, 4, 3, 2, 1},
                               flat(5, 7.0);
  CHECK(core::spearman(x, up) == 1);
  CHECK(core::spearman(x, down) == -1);
  CHECK(core::pearson(x, down) == -1);
  // By hand: sum of (x - 3)(y - 12.4) = 72, of squares 10 and 595.2.
  CHECK(std::abs(core::pearson(x, up) - 72 / std::sqrt(10 * 595.2)) <= 1e-15);
  CHECK(std::isnan(core::spearman(x, flat)));
  CHECK(std::isnan(core::pearson(isovec::Buffer<double>{1}, isovec::Buffer<double>{2})));
  // Ties: ranks 1.5 1.5 3 against 1 2 3 have a correlation of root 3 / 2.
  CHECK(std::abs(core::spearman(isovec::Buffer<double>{1, 1, 2}, isovec::Buffer<double>{1, 2, 3}) -
                 std::sqrt(3) / 2) <= 1e-15);
}

TEST_CASE("ndcg and recall follow their definition and do not see the order of ties", "[core][metrics]") {
  const isovec::Buffer<double> scores = {0.9, 0.8, 0.7, 0.6}, gains = {0, 1, 0, 1};
  const double second = 1 / std::log2(3.0), fourth = 1 / std::log2(5.0);
  CHECK(std::abs(core::ndcg(scores, gains, 4) - (second + fourth) / (1 + second)) <= 1e-15);
  CHECK(std::abs(core::ndcg(scores, gains, 2) - second / (1 + second)) <= 1e-15);
  CHECK(core::recall(scores, gains, 2) == 0.5);
  CHECK(core::recall(scores, gains, 10) == 1);
  const isovec::Buffer<double> tied(4, 0.5);
  CHECK(std::abs(core::ndcg(tied, gains, 1) - 0.5) <= 1e-15);
  CHECK(core::recall(tied, gains, 1) == 0.25);
  CHECK(core::recall(tied, isovec::Buffer<double>{1, 1, 0, 0}, 1) == 0.25);
  CHECK(std::isnan(core::ndcg(scores, isovec::Buffer<double>(4, 0.0), 3)));
  CHECK(std::isnan(core::recall(scores, isovec::Buffer<double>(4, 0.0), 3)));
}
