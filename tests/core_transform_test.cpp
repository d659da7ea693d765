#include <isovec/buffer.hpp>
#include <isovec/error.hpp>
#include <limits>

#include "catch.hpp"
#include "fit_inputs.hpp"

using namespace isovec;
using namespace isovec::test;

namespace {

const isovec::Buffer<std::string> kSpecs = {"none",
                                            "center",
                                            "standardize",
                                            "project_mean",
                                            "remove_top drop=2",
                                            "pca",
                                            "pca k=5",
                                            "whiten",
                                            "whiten k=5",
                                            "whiten basis=zca k=5",
                                            "whiten basis=cholesky",
                                            "whiten basis=zca-cor",
                                            "whiten basis=pca-cor",
                                            "whiten eps=1",
                                            "whiten shrinkage=oas power=0.25",
                                            "center slice=7",
                                            "whiten slice=7",
                                            "project_mean slice=7",
                                            "center normalize=after",
                                            "whiten normalize=before",
                                            "whiten normalize=both",
                                            "standardize normalize=both slice=7"};

const Rows& rows_16() {
  static const Rows rows = normal_rows(400, 16, 60, 2, 100);
  return rows;
}

// z by float64 arithmetic of its own: [normalize] slice, (x - mean) W^T, [normalize].
isovec::Buffer<double> reference_z(const Transform& transform, std::span<const float> x) {
  const std::size_t d = transform.input_dimensions();
  const isovec::Buffer<double> mean = transform.mean(), w = transform.matrix();
  isovec::Buffer<double> y(x.begin(), x.end());
  for (std::size_t j = transform.parts().columns; j < d; ++j) y[j] = 0;
  const auto divide = [](isovec::Buffer<double>& v) {
    double squares = 0;
    for (const double value : v) squares += value * value;
    for (double& value : v) value /= std::sqrt(squares);
  };
  if (before(transform.parts().normalize)) divide(y);
  isovec::Buffer<double> z(transform.output_dimensions());
  for (std::size_t i = 0; i < z.size(); ++i) {
    for (std::size_t j = 0; j < d; ++j) z[i] += w[i * d + j] * (y[j] - mean[j]);
  }
  if (after(transform.parts().normalize)) divide(z);
  return z;
}

double norm(std::span<const double> v) {
  double squares = 0;
  for (const double value : v) squares += value * value;
  return std::sqrt(squares);
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

TEST_CASE("z is W (x - mean), in float64 to its rounding and in float32 to its own", "[core][transform]") {
  for (const std::string& spec : kSpecs) {
    CAPTURE(spec);
    const Transform transform = fit_rows(rows_16(), spec);
    isovec::Buffer<double> wide(transform.output_dimensions());
    isovec::Buffer<float> narrow(wide.size());
    for (std::size_t r = 0; r < 20; ++r) {
      const isovec::Buffer<double> expected = reference_z(transform, rows_16()[r]);
      transform.apply(rows_16()[r], wide);
      transform.apply(rows_16()[r], narrow);
      // Terms of a dot product of 16 are at most 40 times |z| at this condition.
      const double size = 40 * norm(expected);
      for (std::size_t i = 0; i < wide.size(); ++i) {
        CHECK(std::abs(wide[i] - expected[i]) <= 20 * 1.2e-16 * size);
        CHECK(std::abs(static_cast<double>(narrow[i]) - expected[i]) <= 20 * 6e-8 * size);
      }
    }
  }
}

TEST_CASE("the distance of close vectors under a transform keeps its digits", "[core][transform]") {
  for (const std::string& spec : kSpecs) {
    CAPTURE(spec);
    const Transform transform = fit_rows(rows_16(), spec);
    isovec::Buffer<float> a(rows_16()[3].begin(), rows_16()[3].end()), b = a;
    for (std::size_t j = 0; j < b.size(); ++j) {
      if (j % 3 != 1) b[j] = std::nextafter(b[j], j % 2 == 0 ? 100.0F : -100.0F);
    }
    isovec::Buffer<double> za(transform.output_dimensions()), zb(za.size());
    transform.apply(a, za);
    transform.apply(b, zb);
    for (std::size_t i = 0; i < za.size(); ++i) za[i] -= zb[i];
    // z in float64 leaves some 9 digits of differences of the size of a rounding of float32. One rounding of
    // z to float32 would leave none.
    const double expected = norm(za), distance = transform.distance_l2(a, b);
    if (after(transform.parts().normalize)) continue;
    CAPTURE(expected, distance);
    CHECK(expected > 0);
    CHECK(std::abs(distance - expected) <= 1e-5 * expected);
    CHECK(transform.distance_l2(b, a) == distance);
  }
}

TEST_CASE("an inverse gives x back, and where there is none it says why", "[core][transform]") {
  const isovec::Buffer<std::pair<std::string, std::string>> reasons = {
      {"none", ""},
      {"center", ""},
      {"standardize", ""},
      {"pca", ""},
      {"whiten", ""},
      {"whiten basis=pca", ""},
      {"whiten basis=cholesky", ""},
      {"whiten basis=zca-cor", ""},
      {"whiten eps=1", ""},
      {"whiten power=0.25", ""},
      {"pca k=5", "5 of 16 directions"},
      {"whiten basis=zca k=5", "11 of 16 directions"},
      {"project_mean", "1 direction away"},
      {"remove_top drop=2", "2 directions away"},
      {"center slice=7", "7 of 16 coordinates"},
      {"center normalize=after", "norm"},
      {"center normalize=before", "norm"}};
  for (const auto& [spec, reason] : reasons) {
    CAPTURE(spec);
    const Transform transform = fit_rows(rows_16(), spec);
    isovec::Buffer<float> z(transform.output_dimensions()), x(16);
    transform.apply(rows_16()[3], z);
    if (reason.empty()) {
      transform.inverse(z, x);
      for (std::size_t j = 0; j < 16; ++j) CHECK(std::abs(x[j] - rows_16()[3][j]) <= 1e-4F);
    } else {
      CHECK(message_of([&] { transform.inverse(z, x); }).find(reason) != std::string::npos);
    }
  }
  const Transform whiten = fit_rows(rows_16(), "whiten");
  isovec::Buffer<float> x(16);
  CHECK_THROWS_AS(whiten.inverse(isovec::Buffer<float>(15), x), Error);
}

TEST_CASE("a query's form scores untransformed rows as z would", "[core][transform]") {
  for (const std::string& spec : kSpecs) {
    CAPTURE(spec);
    const Transform transform = fit_rows(rows_16(), spec);
    const QueryForm form = transform.query_form(rows_16()[0]);
    const bool unit = before(transform.parts().normalize);
    for (std::size_t r = 1; r < 20; ++r) {
      const std::span<const float> x = rows_16()[r];
      double dot = 0, squares = 0;
      for (std::size_t j = 0; j < 16; ++j) {
        dot += form.a[j] * static_cast<double>(x[j]);
        if (j < transform.parts().columns) squares += static_cast<double>(x[j]) * static_cast<double>(x[j]);
      }
      if (unit) dot /= std::sqrt(squares);
      const double score = (dot - form.b) / (form.norm * transform.row_norm(x));
      CHECK(std::abs(score - cosine(transform, rows_16()[0], x)) <= 1e-12);
    }
  }
}

TEST_CASE("a query may be centered on a mean of its own", "[core][transform]") {
  const Transform whiten = fit_rows(rows_16(), "whiten");
  const isovec::Buffer<float> query_mean(16, 2.5F);
  const QueryForm form = whiten.query_form(rows_16()[0], query_mean);
  const isovec::Buffer<double> wide_mean(query_mean.begin(), query_mean.end());
  const Transform moved = recenter(whiten, wide_mean);
  isovec::Buffer<double> zq(16), zx(16);
  moved.apply(rows_16()[0], zq);
  whiten.apply(rows_16()[9], zx);
  double dot = 0;
  for (std::size_t j = 0; j < 16; ++j) dot += form.a[j] * static_cast<double>(rows_16()[9][j]);
  const double score = (dot - form.b) / (form.norm * whiten.row_norm(rows_16()[9]));
  CHECK(std::abs(score - cosine(zq, zx)) <= 1e-12);
  CHECK(same_linear_part(moved, whiten));
  CHECK_FALSE(same_linear_part(whiten, fit_rows(rows_16(), "whiten eps=1")));
  CHECK_THROWS_AS(fit_rows(rows_16(), "project_mean").query_form(rows_16()[0], query_mean), Error);
  CHECK_THROWS_AS(whiten.query_form(rows_16()[0], isovec::Buffer<float>(3)), Error);
}

TEST_CASE("norms of many rows are those of single rows, bit for bit", "[core][transform]") {
  for (const std::string& spec : kSpecs) {
    CAPTURE(spec);
    const Transform transform = fit_rows(rows_16(), spec);
    isovec::Buffer<double> norms(37), z(transform.output_dimensions());
    transform.row_norms(rows_16().values.data(), 16, norms);
    for (std::size_t r = 0; r < norms.size(); ++r) {
      CHECK(norms[r] == transform.row_norm(rows_16()[r]));
      if (after(transform.parts().normalize)) continue;
      transform.apply(rows_16()[r], z);
      CHECK(std::abs(norms[r] - norm(z)) <= 1e-14 * norms[r]);
    }
  }
}

TEST_CASE("vectors of another dimension and zero vectors are refused", "[core][transform]") {
  const Transform whiten = fit_rows(rows_16(), "whiten"),
                  unit = fit_rows(rows_16(), "center normalize=before");
  isovec::Buffer<float> z(16), short_row(15), zero(16);
  CHECK(message_of([&] { whiten.apply(short_row, z); }) ==
        "the transform takes 16 dimensions, got a vector of 15");
  CHECK_THROWS_AS(whiten.row_norm(short_row), Error);
  CHECK_THROWS_AS(whiten.query_form(short_row), Error);
  CHECK(message_of([&] { unit.apply(zero, z); }).find("zero vector") != std::string::npos);
  CHECK(std::isfinite(unit.row_norm(zero)));
  CHECK_NOTHROW(whiten.apply(zero, z));
}

TEST_CASE("composed transforms are one after the other", "[core][transform]") {
  const isovec::Buffer<std::pair<std::string, std::string>> pairs = {
      {"whiten k=5", "whiten"},
      {"center", "whiten"},
      {"remove_top", "whiten k=8"},
      {"pca k=6", "standardize"},
      {"standardize", "pca"},
      {"project_mean", "center"},
      {"center slice=7", "whiten"},
      {"pca", "center slice=4"},
      {"whiten normalize=before", "center normalize=after"},
      {"whiten", "none"},
      {"none", "none"}};
  for (const auto& [first, second] : pairs) {
    CAPTURE(first, second);
    const Transform inner = fit_rows(rows_16(), first);
    Rows middle{400, inner.output_dimensions(), isovec::Buffer<float>(400 * inner.output_dimensions())};
    for (std::size_t r = 0; r < 400; ++r) {
      inner.apply(rows_16()[r],
                  std::span<float>(middle.values).subspan(r * middle.dimensions, middle.dimensions));
    }
    // Whitened or projected rows lack directions, hence the ridge.
    const Transform outer = fit_rows(middle, second == "whiten" ? "whiten eps=0.1" : second);
    const Transform both = compose(outer, inner);
    isovec::Buffer<double> direct(both.output_dimensions()), staged(both.output_dimensions());
    for (std::size_t r = 0; r < 10; ++r) {
      both.apply(rows_16()[r], direct);
      outer.apply(middle[r], staged);
      for (std::size_t i = 0; i < direct.size(); ++i) CHECK(std::abs(direct[i] - staged[i]) <= 1e-4);
    }
  }
  const Transform unit = fit_rows(rows_16(), "center normalize=after"), pca = fit_rows(rows_16(), "pca k=5");
  CHECK_THROWS_AS(compose(pca, unit), Error);
  CHECK_THROWS_AS(compose(pca, pca), Error);
  SECTION("a mean that the inner one cannot produce is refused") {
    const isovec::Buffer<double> one_row = {1, 0}, unreachable = {0, 3};
    const Transform flat = make_transform({}, isovec::Buffer<double>{1, 0, 0, 0}, 2);
    const Transform outer = make_transform(unreachable, isovec::Buffer<double>{1, 0, 0, 1}, 2);
    CHECK_THROWS_AS(compose(outer, flat), Error);
    CHECK_NOTHROW(compose(make_transform(one_row, isovec::Buffer<double>{1, 0, 0, 1}, 2), flat));
  }
}

TEST_CASE("compositions keep the shape that they have", "[core][transform]") {
  struct Case {
    const char* inner;
    const char* outer;
    Linear kind;
  };
  for (const Case& one :
       {Case{"center", "center", Linear::identity}, Case{"center", "standardize", Linear::diagonal},
        Case{"standardize", "center", Linear::diagonal}, Case{"standardize", "standardize", Linear::diagonal},
        Case{"remove_top drop=2", "center", Linear::projection},
        Case{"center", "remove_top drop=2", Linear::projection},
        Case{"whiten eps=1", "center", Linear::symmetric}, Case{"center", "whiten eps=1", Linear::symmetric},
        Case{"standardize", "remove_top", Linear::dense}, Case{"remove_top", "standardize", Linear::dense},
        Case{"remove_top", "remove_top drop=2", Linear::dense},
        Case{"standardize", "whiten eps=1", Linear::dense},
        Case{"center normalize=before", "center slice=4", Linear::dense}}) {
    CAPTURE(one.inner, one.outer);
    const Transform inner = fit_rows(rows_16(), one.inner);
    Rows middle{400, 16, Buffer<float>(400 * 16)};
    for (std::size_t r = 0; r < 400; ++r)
      inner.apply(rows_16()[r], std::span<float>(middle.values).subspan(r * 16, 16));
    const Transform outer = fit_rows(middle, one.outer), both = compose(outer, inner);
    CHECK(both.parts().kind == one.kind);
    CHECK(both.parts().linear.size() == composed_numbers(outer, inner));
    // W2 W1 written out, by the definition of a product.
    const auto w2 = outer.matrix(), w1 = inner.matrix(), w = both.matrix();
    const std::size_t k = outer.output_dimensions();
    REQUIRE(w.size() == k * 16);
    for (std::size_t i = 0; i < k; ++i) {
      for (std::size_t j = 0; j < 16; ++j) {
        double sum = 0;
        for (std::size_t t = 0; t < 16; ++t) sum += w2[i * 16 + t] * w1[t * 16 + j];
        CHECK(std::abs(w[i * 16 + j] - sum) <= 1e-12 * (1 + std::abs(sum)));
      }
    }
    Buffer<double> direct(k), staged(k);
    for (std::size_t r = 0; r < 10; ++r) {
      both.apply(rows_16()[r], direct);
      outer.apply(middle[r], staged);
      for (std::size_t i = 0; i < k; ++i) CHECK(std::abs(direct[i] - staged[i]) <= 1e-4);
    }
  }
}

TEST_CASE("the name of a composition stays short", "[core][transform]") {
  Transform both = fit_rows(rows_16(), "standardize");
  CHECK(compose(both, both).parts().spec == "standardize after standardize");
  for (int i = 0; i < 60; ++i)
    both = compose(fit_rows(rows_16(), "center"), compose(both, fit_rows(rows_16(), "none")));
  CHECK(both.parts().spec.size() <= 1000);
  CHECK(both.parts().spec.rfind("center after center after ", 0) == 0);
  CHECK(both.parts().spec.find(" ... ") != std::string::npos);
}

TEST_CASE("recentering needs a mean to replace", "[core][transform]") {
  const isovec::Buffer<double> mean(16, 1.0);
  CHECK_THROWS_AS(recenter(fit_rows(rows_16(), "project_mean"), mean), Error);
  CHECK_THROWS_AS(recenter(fit_rows(rows_16(), "center"), isovec::Buffer<double>(15)), Error);
  isovec::Buffer<double> z(16);
  recenter(fit_rows(rows_16(), "center"), mean).apply(rows_16()[0], z);
  CHECK(z[0] == static_cast<double>(rows_16()[0][0]) - 1);
}

TEST_CASE("a transform from outside maps by its mean and matrix", "[core][transform]") {
  const isovec::Buffer<double> mean = {1, 2, 3}, matrix = {1, 0, 1, 0, 2, 0};
  const Transform made = make_transform(mean, matrix, 3);
  const isovec::Buffer<float> x = {2, 4, 8};
  isovec::Buffer<double> z(2);
  made.apply(x, z);
  CHECK(z == isovec::Buffer<double>{6, 4});
  CHECK(made.mean() == mean);
  CHECK(made.matrix() == matrix);
  CHECK_THROWS_AS(make_transform(mean, isovec::Buffer<double>(5), 3), Error);
  CHECK_THROWS_AS(make_transform(mean, isovec::Buffer<double>(4), 2), Error);
  CHECK_THROWS_AS(make_transform(mean, matrix, 3, "k=2"), Error);
  CHECK_THROWS_AS(make_transform(mean, isovec::Buffer<double>(6, std::numeric_limits<double>::infinity()), 3),
                  Error);
  make_transform(mean, matrix, 3, "normalize=after").apply(x, z);
  CHECK(std::abs(norm(z) - 1) <= 1e-15);
  CHECK(make_transform({}, isovec::Buffer<double>{2, 1, 1, 2}, 2).symmetric());
  CHECK_FALSE(make_transform({}, isovec::Buffer<double>{2, 1, 0, 2}, 2).symmetric());
  isovec::Buffer<float> back(2);
  CHECK_THROWS_AS(
      make_transform({}, isovec::Buffer<double>{1, 2, 2, 4}, 2).inverse(isovec::Buffer<float>{1, 2}, back),
      Error);
  make_transform({}, isovec::Buffer<double>{2, 1, 0, 2}, 2).inverse(isovec::Buffer<float>{4, 4}, back);
  CHECK(back == isovec::Buffer<float>{1, 2});
}

TEST_CASE("numbers beyond float32 are refused, in a matrix and in z", "[core][transform]") {
  CHECK(message_of([] {
          static_cast<void>(make_transform({}, isovec::Buffer<double>{1e39}, 1));
        }).find("beyond float32") != std::string::npos);
  const Transform large = make_transform({}, isovec::Buffer<double>{1e30}, 1);
  isovec::Buffer<float> z(1);
  CHECK_THROWS_AS(large.apply(isovec::Buffer<float>{1e30F}, z), Error);
  CHECK_NOTHROW(large.apply(isovec::Buffer<float>{1e-30F}, z));
  CHECK(std::isfinite(large.row_norm(isovec::Buffer<float>{1e38F})));
}

TEST_CASE("parts that do not fit together are refused", "[core][transform]") {
  TransformParts good = fit_rows(rows_16(), "whiten").parts();
  const auto refused = [&](const auto& spoil) {
    TransformParts parts = good;
    spoil(parts);
    return message_of([&] { Transform transform(parts); }) != "nothing was thrown";
  };
  CHECK_FALSE(refused([](TransformParts&) {}));
  CHECK(refused([](TransformParts& p) { p.mean.pop_back(); }));
  CHECK(refused([](TransformParts& p) { p.linear.pop_back(); }));
  CHECK(refused([](TransformParts& p) { p.output_dimensions = 3; }));
  CHECK(refused([](TransformParts& p) { p.columns = 17; }));
  CHECK(refused([](TransformParts& p) { p.input_dimensions = 0; }));
  CHECK(refused([](TransformParts& p) { p.linear[5] = std::numeric_limits<double>::quiet_NaN(); }));
  CHECK(refused([](TransformParts& p) { p.kind = Linear::projection, p.linear.clear(); }));
}

TEST_CASE("components are unit directions whose scales make the transform", "[core][transform]") {
  for (const char* spec : {"whiten", "whiten eps=0.1", "whiten basis=zca k=5", "whiten basis=pca",
                           "whiten k=5", "pca", "whiten power=0.25"}) {
    CAPTURE(spec);
    const Transform transform = fit_rows(rows_16(), spec);
    const isovec::Buffer<Component> parts = components(transform);
    CHECK(parts.size() == transform.parts().summary.kept);
    const Matrix w = matrix_of(transform);
    Matrix gram(16, 16);
    for (std::size_t m = 0; m < parts.size(); ++m) {
      CHECK(std::abs(norm(parts[m].direction) - 1) <= 1e-12);
      CHECK(parts[m].eigenvalue == transform.parts().eigenvalues[m]);
      for (std::size_t i = 0; i < 16; ++i) {
        for (std::size_t j = 0; j < 16; ++j) {
          gram(i, j) += parts[m].scale * parts[m].scale * parts[m].direction[i] * parts[m].direction[j];
        }
      }
    }
    CHECK(relative_difference(gram, transposed(w) * w) <= 1e-11);
  }
  const isovec::Buffer<Component> standardized = components(fit_rows(rows_16(), "whiten basis=zca-cor"));
  const isovec::Buffer<Component> same = components(fit_rows(rows_16(), "whiten basis=pca-cor"));
  for (std::size_t m = 0; m < 16; ++m) {
    CHECK(std::abs(standardized[m].scale / same[m].scale - 1) <= 1e-9);
    for (std::size_t j = 0; j < 16; ++j)
      CHECK(std::abs(standardized[m].direction[j] - same[m].direction[j]) <= 1e-7);
  }
  CHECK(components(fit_rows(rows_16(), "remove_top drop=2")).size() == 2);
  CHECK_THROWS_AS(components(fit_rows(rows_16(), "center")), Error);
  CHECK_THROWS_AS(components(fit_rows(rows_16(), "whiten basis=cholesky")), Error);
}

TEST_CASE("a spectrum lists eigenvalues with shares that add up", "[core][transform]") {
  const isovec::Buffer<SpectrumLine> lines = spectrum(fit_rows(rows_16(), "whiten")),
                                     same = spectrum(statistics_of(rows_16()));
  double sum = 0;
  for (std::size_t m = 0; m < 16; ++m) {
    CHECK(std::abs(lines[m].eigenvalue / same[m].eigenvalue - 1) <= 1e-12);
    sum += lines[m].share;
    CHECK(std::abs(lines[m].cumulative - sum) <= 1e-12);
  }
  CHECK(std::abs(sum - 1) <= 1e-12);
  CHECK_THROWS_AS(spectrum(fit_rows(rows_16(), "center")), Error);
  CHECK_THROWS_AS(spectrum(Statistics()), Error);
}

TEST_CASE("drift sees no change in the fitted rows, and sees a shift and a changed shape",
          "[core][transform]") {
  const Transform white = fit_rows(rows_16(), "whiten");
  const Drift none = drift(white, statistics_of(rows_16()));
  CHECK(none.mean_shift <= 1e-9);
  CHECK(std::abs(none.participation_ratio - 16) <= 1e-8);
  CHECK(std::abs(none.condition - 1) <= 1e-8);
  CHECK(std::abs(none.mean_variance - 1) <= 1e-8);
  CHECK(none.findings == isovec::Buffer<std::string>{"no drift found"});
  Rows shifted = rows_16(), stretched = rows_16();
  for (std::size_t r = 0; r < 400; ++r) {
    for (std::size_t j = 0; j < 16; ++j) {
      shifted.values[r * 16 + j] += 5;
      if (j == 15) stretched.values[r * 16 + j] *= 30;
    }
  }
  const Drift moved = drift(white, statistics_of(shifted)), changed = drift(white, statistics_of(stretched));
  CHECK(moved.mean_shift > 1);
  CHECK(moved.findings.front().find("mean has moved") != std::string::npos);
  CHECK(changed.participation_ratio < 4);
  CHECK(changed.condition > 100);
  StatisticsOptions options;
  options.normalize = true;
  CHECK_THROWS_AS(drift(white, statistics_of(rows_16(), options)), Error);
  CHECK_THROWS_AS(drift(white, statistics_of(normal_rows(50, 8, 61))), Error);
  CHECK_NOTHROW(drift(fit_rows(rows_16(), "whiten normalize=before k=4"), statistics_of(rows_16(), options)));
}
