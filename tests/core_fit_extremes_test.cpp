// Fits of rows at the edges of what float32 holds: what comes out is finite or an error with a sentence, and
// scale, units and equal variances change nothing that they should not.

#include <cmath>
#include <functional>
#include <isovec/buffer.hpp>
#include <isovec/error.hpp>

#include "catch.hpp"
#include "fit_inputs.hpp"

using namespace isovec;
using namespace isovec::test;

namespace {

const isovec::Buffer<std::string> kSpecs = {
    "none",
    "center",
    "standardize",
    "project_mean",
    "remove_top",
    "pca",
    "pca k=2",
    "pca variance=.9",
    "whiten",
    "whiten k=2",
    "whiten variance=.5",
    "whiten basis=pca",
    "whiten basis=cholesky",
    "whiten basis=zca-cor",
    "whiten basis=pca-cor k=2",
    "whiten eps=1",
    "whiten eps=1e-12",
    "whiten eps=1 basis=cholesky",
    "whiten eps=1 basis=zca-cor",
    "whiten shrinkage=oas",
    "whiten shrinkage=lw",
    "whiten shrinkage=1",
    "whiten power=0",
    "whiten power=1",
    "center normalize=before",
    "whiten normalize=both",
    "project_mean normalize=after",
    "whiten slice=2 precision=float",
    "whiten weights=frequency",
};

struct Input {
  std::string name;
  Rows rows;
  isovec::Buffer<double> weights;  // empty: all 1
};

// `count` rows of 4 from a function of the row and the coordinate.
Input input(const std::string& name, std::size_t count,
            const std::function<double(std::size_t, std::size_t)>& f, isovec::Buffer<double> weights = {}) {
  Rows rows{count, 4, {}};
  for (std::size_t r = 0; r < count; ++r) {
    for (std::size_t j = 0; j < 4; ++j) rows.values.push_back(static_cast<float>(f(r, j)));
  }
  return {name, std::move(rows), std::move(weights)};
}

isovec::Buffer<Input> extreme_inputs() {
  static const Rows noise = normal_rows(40, 4, 70, 0, 10);
  const auto value = [](std::size_t r, std::size_t j) { return static_cast<double>(noise[r][j]); };
  const auto scaled = [&](double scale, double offset) {
    return [=](std::size_t r, std::size_t j) { return scale * value(r, j) + offset; };
  };
  isovec::Buffer<double> huge(40, 1e100), tiny(40, 1e-100), mixed(40, 1e-100), mostly_zero(40, 0.0);
  mixed[7] = 1e100;
  mostly_zero[3] = mostly_zero[9] = 1;
  return {
      input("one row", 1, scaled(1, 0)),
      input("two rows", 2, scaled(1, 0)),
      input("five rows", 5, scaled(1, 0)),
      input("zeros", 40, scaled(0, 0)),
      input("a constant", 40, scaled(0, 3)),
      input("a constant with one rounding", 40,
            [](std::size_t r, std::size_t j) { return r == 5 && j == 2 ? 1 + 0x1p-23 : 1.0; }),
      input("subnormal", 40, scaled(1e-42, 0)),
      input("small", 40, scaled(1e-30, 0)),
      input("large", 40, scaled(1e17, 0)),
      input("at the largest norm", 40, [](std::size_t r, std::size_t j) { return j == r % 4 ? 1e18 : 0.0; }),
      input("scales apart", 40,
            [&](std::size_t r, std::size_t j) { return value(r, j) * std::pow(1e8, double(j)) * 1e-12; }),
      input("far from the origin", 40, scaled(1, 1e6)),
      input("beyond rounding", 40, scaled(1e-6, 1e6)),
      input("a dead coordinate", 40,
            [&](std::size_t r, std::size_t j) { return j == 2 ? 0.25 : value(r, j); }),
      input("copies", 40, [&](std::size_t r, std::size_t j) { return value(r, j / 2); }),
      input("rank one", 40, [&](std::size_t r, std::size_t j) { return value(r, 0) * double(j + 1); }),
      input("two points", 40, [&](std::size_t r, std::size_t j) { return value(r % 2, j); }),
      input("signs", 40, [](std::size_t r, std::size_t j) { return (r >> j) % 2 == 0 ? 1.0 : -1.0; }),
      input("huge weights", 40, scaled(1, 0), huge),
      input("tiny weights", 40, scaled(1, 0), tiny),
      input("one weight outweighs all", 40, scaled(1, 0), mixed),
      input("two rows of weight", 40, scaled(1, 0), mostly_zero),
  };
}

bool finite(const isovec::Buffer<double>& numbers) {
  for (const double x : numbers) {
    if (!std::isfinite(x)) return false;
  }
  return true;
}

void check_finite(const Transform& transform, const Rows& rows) {
  const TransformParts& parts = transform.parts();
  CHECK(finite(parts.mean));
  CHECK(finite(parts.linear));
  CHECK(finite(parts.eigenvalues));
  CHECK(finite(parts.standardizer));
  const FitSummary& s = parts.summary;
  CHECK(
      finite({s.weight, s.effective_rows, s.rank_threshold, s.shrinkage, s.ridge, s.condition, s.explained}));
  CHECK(to_json(transform).find("nan") == std::string::npos);
  CHECK(to_json(transform).find("inf\"") == std::string::npos);
  isovec::Buffer<float> z(transform.output_dimensions());
  for (std::size_t r = 0; r < std::min<std::size_t>(rows.count, 10); ++r) {
    try {
      transform.apply(rows[r], std::span<float>(z));
    } catch (const Error&) {
      continue;  // a zero vector, or z beyond float32
    }
    for (const float x : z) CHECK(std::isfinite(x));
  }
}

// A transform whose every number is finite, or an Error with a sentence: nothing else.
template <typename Fit>
void check_fit(const Fit& fit_it, const Rows& rows) {
  try {
    check_finite(fit_it(), rows);
  } catch (const Error& error) {
    CHECK(std::string(error.what()).size() > 20);
    CHECK(std::string(error.what()).find("nan") == std::string::npos);
  }
}

Rows scaled_rows(const Rows& rows, float factor) {
  Rows result = rows;
  for (float& x : result.values) x *= factor;
  return result;
}

}  // namespace

TEST_CASE("no fit, of whatever rows, holds a number that is none", "[core][fit][extremes]") {
  for (const Input& given : extreme_inputs()) {
    const auto weight = [&](std::size_t r) { return given.weights.empty() ? 1.0 : given.weights[r]; };
    for (const std::string& spec : kSpecs) {
      CAPTURE(given.name, spec);
      check_fit(
          [&] {
            RowFitter fitter(parse_spec(spec));
            for (std::size_t r = 0; r < given.rows.count; ++r) fitter.add(given.rows[r], weight(r));
            return fitter.finish();
          },
          given.rows);
      check_fit(
          [&] {
            Statistics statistics(required_statistics(parse_spec(spec)));
            for (std::size_t r = 0; r < given.rows.count; ++r) statistics.add(given.rows[r], weight(r));
            return fit(statistics_from_blob(to_blob(statistics)), parse_spec(spec));
          },
          given.rows);
    }
  }
}

TEST_CASE("eps and shrinkage are relative: the unit of the vectors changes no cosine",
          "[core][fit][extremes]") {
  const Rows rows = normal_rows(200, 8, 71, 3, 100);
  // A power of two, so that no element is rounded anew.
  const Rows large = scaled_rows(rows, 0x1p20F), small = scaled_rows(rows, 0x1p-20F);
  for (const char* spec :
       {"whiten eps=.1", "whiten eps=1", "whiten shrinkage=oas", "whiten shrinkage=lw",
        "whiten shrinkage=0.2", "whiten eps=1 basis=cholesky", "whiten eps=1 basis=zca-cor"}) {
    CAPTURE(spec);
    const Transform plain = fit_rows(rows, spec), of_large = fit_rows(large, spec),
                    of_small = fit_rows(small, spec);
    for (std::size_t r = 1; r < 20; ++r) {
      const double expected = cosine(plain, rows[0], rows[r]);
      CHECK(std::abs(cosine(of_large, large[0], large[r]) - expected) <= 1e-11);
      CHECK(std::abs(cosine(of_small, small[0], small[r]) - expected) <= 1e-11);
    }
  }
}

TEST_CASE("uncorrelated coordinates keep their axes, none is lost to a sign of zero",
          "[core][fit][extremes]") {
  // Variances 1 and 2 up to one factor, covariance exactly 0: the eigenvectors are the axes.
  const float root = std::sqrt(2.0F);
  const Rows rows{4, 2, {1, 0, -1, 0, 0, root, 0, -root}};
  for (const char* spec : {"whiten eps=1e-9", "whiten eps=1e-9 basis=pca", "whiten eps=1e-9 basis=cholesky",
                           "pca", "whiten eps=1e-9 basis=zca-cor"}) {
    CAPTURE(spec);
    const Matrix w = matrix_of(fit_rows(rows, spec));
    CHECK(w(0, 0) * w(1, 1) - w(0, 1) * w(1, 0) != 0);
    for (std::size_t i = 0; i < 2; ++i) {
      const double first = std::abs(w(i, 0)), second = std::abs(w(i, 1));
      CHECK(std::max(first, second) > 0.5);
      CHECK(std::min(first, second) == 0);
      CHECK(w(i, 0) + w(i, 1) > 0);
    }
  }
}

TEST_CASE("coordinates in another order whiten alike, but for the rotation of cholesky",
          "[core][fit][extremes]") {
  const Rows rows = normal_rows(300, 6, 72, 2, 50);
  Rows turned = rows;
  for (std::size_t r = 0; r < rows.count; ++r) {
    for (std::size_t j = 0; j < 6; ++j) turned.values[r * 6 + j] = rows[r][5 - j];
  }
  for (const char* spec : {"whiten", "whiten eps=1", "whiten basis=cholesky", "whiten basis=zca-cor"}) {
    CAPTURE(spec);
    const Transform a = fit_rows(rows, spec), b = fit_rows(turned, spec);
    for (std::size_t r = 1; r < 20; ++r) {
      CHECK(std::abs(cosine(a, rows[0], rows[r]) - cosine(b, turned[0], turned[r])) <= 1e-11);
    }
  }
}
