// The rules of fits: what applies to what, rank and collapse, keys that belong to the statistics.

#include <isovec/buffer.hpp>
#include <isovec/error.hpp>

#include "catch.hpp"
#include "fit_inputs.hpp"

using namespace isovec;
using namespace isovec::test;

namespace {

std::string message_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

bool warns(const Transform& transform, std::string_view part) {
  for (const std::string& warning : transform.parts().summary.warnings) {
    if (contains(warning, part)) return true;
  }
  return false;
}

// Rows with coordinate `to` made of others by f(row).
Rows with_coordinate(Rows rows, std::size_t to, const auto& f) {
  for (std::size_t r = 0; r < rows.count; ++r) rows.values[r * rows.dimensions + to] = f(rows[r]);
  return rows;
}

Rows first_rows(const Rows& rows, std::size_t count) {
  return {count,
          rows.dimensions,
          {rows.values.begin(), rows.values.begin() + static_cast<std::ptrdiff_t>(count * rows.dimensions)}};
}

}  // namespace

TEST_CASE("a spec reads back from its canonical text", "[core][fit][spec]") {
  for (const char* text : {"none",
                           "center",
                           "standardize",
                           "project_mean",
                           "remove_top",
                           "remove_top drop=3",
                           "pca",
                           "pca k=64",
                           "pca variance=0.9",
                           "whiten",
                           "whiten eps=1",
                           "whiten k=128",
                           "whiten basis=zca k=128",
                           "whiten variance=0.95",
                           "whiten basis=cholesky",
                           "whiten basis=zca-cor shrinkage=oas",
                           "whiten basis=pca-cor k=2 eps=0.1",
                           "whiten shrinkage=lw",
                           "whiten shrinkage=0.25",
                           "whiten power=0.25",
                           "center slice=256 normalize=both weights=frequency precision=float"}) {
    CAPTURE(text);
    CHECK(to_text(parse_spec(text)) == text);
    CHECK(parse_spec(to_text(parse_spec(text))) == parse_spec(text));
  }
  CHECK(to_text(parse_spec(" whiten,k=4 ,  normalize=none\tbasis=pca ")) == "whiten k=4");
  CHECK(to_text(parse_spec("whiten eps=.1")) == "whiten eps=0.1");
}

TEST_CASE("each key applies to its methods and to no others", "[core][fit][spec]") {
  const isovec::Buffer<std::string> methods = {"none",       "center", "standardize", "project_mean",
                                               "remove_top", "pca",    "whiten"};
  struct Key {
    std::string text;
    isovec::Buffer<std::string> methods;
  };
  const isovec::Buffer<Key> keys = {
      {"drop=2", {"remove_top"}},
      {"k=2", {"pca", "whiten"}},
      {"variance=0.5", {"pca", "whiten"}},
      {"basis=zca", {"whiten"}},
      {"basis=pca", {"whiten"}},
      {"basis=cholesky", {"whiten"}},
      {"basis=zca-cor", {"whiten"}},
      {"basis=pca-cor", {"whiten"}},
      {"eps=1", {"whiten"}},
      {"shrinkage=oas", {"whiten"}},
      {"shrinkage=lw", {"whiten"}},
      {"shrinkage=0.5", {"whiten"}},
      {"power=0.25", {"whiten"}},
      {"slice=3", methods},
      {"normalize=before", methods},
      {"normalize=after", methods},
      {"normalize=both", methods},
      {"normalize=none", methods},
      {"weights=frequency", methods},
      {"weights=importance", methods},
      {"precision=float", methods},
      {"precision=double", methods},
  };
  const Rows rows = normal_rows(300, 6, 20);
  for (const Key& key : keys) {
    for (const std::string& method : methods) {
      CAPTURE(key.text, method);
      const bool applies = std::find(key.methods.begin(), key.methods.end(), method) != key.methods.end();
      const auto action = [&] { static_cast<void>(fit_rows(rows, method + " " + key.text)); };
      if (applies) {
        CHECK_NOTHROW(action());
      } else {
        const std::string message = message_of(action);
        CHECK(contains(message, "does not apply to " + method));
        CHECK(contains(message, "what applies is"));
      }
    }
  }
}

TEST_CASE("values and pairs of keys that make no sense are refused", "[core][fit][spec]") {
  for (const char* bad : {"",
                          "   ",
                          "whitening",
                          "k=3",
                          "whiten 3",
                          "whiten k=0",
                          "whiten k=-1",
                          "whiten k=2.5",
                          "whiten k=",
                          "whiten eps=-1",
                          "whiten eps=nan",
                          "whiten eps=inf",
                          "whiten eps=x",
                          "whiten power=2",
                          "whiten power=-0.1",
                          "whiten shrinkage=1.5",
                          "whiten shrinkage=auto",
                          "whiten shrinkage=-1",
                          "whiten variance=0",
                          "whiten variance=1.1",
                          "whiten basis=svd",
                          "whiten colour=red",
                          "whiten k=2 k=3",
                          "remove_top drop=0",
                          "center normalize=yes",
                          "center weights=1",
                          "center precision=half",
                          "center slice=0",
                          "whiten k=2 variance=0.5",
                          "whiten eps=1 shrinkage=oas",
                          "whiten basis=cholesky k=2",
                          "whiten basis=cholesky variance=0.5",
                          "whiten basis=cholesky power=0.25",
                          "whiten basis=zca-cor shrinkage=lw",
                          "whiten basis=pca-cor shrinkage=lw",
                          "Whiten",
                          "whiten =3",
                          "whiten k = 3"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse_spec(bad), Error);
  }
  CHECK(contains(message_of([] { static_cast<void>(parse_spec("whitening")); }), "project_mean"));
  const std::string_view cut("whiten \0=1", 10);
  CHECK(contains(message_of([&] { static_cast<void>(parse_spec(cut)); }), "a zero byte at byte 7"));
  CHECK(contains(message_of([] { static_cast<void>(parse_spec("whiten colour=red")); }), "shrinkage"));
}

TEST_CASE("keys that belong to the statistics may be repeated, not changed", "[core][fit]") {
  const Rows rows = normal_rows(100, 6, 21);
  const Statistics plain = statistics_of(rows);
  StatisticsOptions options;
  options.normalize = true;
  const Statistics unit = statistics_of(rows, options);
  const auto fits = [](const Statistics& statistics, const char* spec) {
    return message_of([&] { static_cast<void>(fit(statistics, parse_spec(spec))); }) == "nothing was thrown";
  };
  CHECK(fits(plain, "center normalize=none"));
  CHECK(fits(plain, "center normalize=after"));
  CHECK(fits(plain, "center weights=importance precision=double"));
  CHECK_FALSE(fits(plain, "center normalize=before"));
  CHECK_FALSE(fits(plain, "center normalize=both"));
  CHECK_FALSE(fits(plain, "center weights=frequency"));
  CHECK_FALSE(fits(plain, "center precision=float"));
  CHECK(fits(unit, "center normalize=before"));
  CHECK(fits(unit, "center normalize=both"));
  CHECK_FALSE(fits(unit, "center normalize=none"));
  CHECK_FALSE(fits(unit, "center normalize=after"));
  CHECK(fit(unit, parse_spec("center")).parts().spec == "center normalize=before");
  options.moments = Moments::first;
  const Statistics first = statistics_of(rows, options);
  CHECK(fits(first, "standardize"));
  CHECK(contains(message_of([&] { static_cast<void>(fit(first, parse_spec("whiten"))); }), "moments=second"));
}

TEST_CASE("slice narrows the statistics where rows were not normalized over more", "[core][fit]") {
  const Rows rows = normal_rows(200, 8, 22);
  Rows head{200, 5, {}};
  for (std::size_t r = 0; r < rows.count; ++r) {
    head.values.insert(head.values.end(), rows[r].begin(), rows[r].begin() + 5);
  }
  for (const char* spec :
       {"whiten slice=5", "standardize slice=5", "pca k=2 slice=5", "whiten shrinkage=oas slice=5"}) {
    CAPTURE(spec);
    const Transform whole = fit(statistics_of(rows), parse_spec(spec));
    std::string without(spec);
    without.erase(without.find(" slice=5"));
    const Matrix expected = matrix_of(fit(statistics_of(head), parse_spec(without)));
    CHECK(whole.input_dimensions() == 8);
    const Matrix ours = matrix_of(whole);
    for (std::size_t i = 0; i < ours.rows; ++i) {
      for (std::size_t j = 0; j < 8; ++j) {
        CHECK(std::abs(ours(i, j) - (j < 5 ? expected(i, j) : 0)) <=
              1e-10 * std::abs(expected(0, 0)) + 1e-12);
      }
    }
    CHECK(relative_difference(matrix_of(fit_rows(rows, spec)), ours) <= 1e-10);
    CHECK(contains(whole.parts().not_invertible, "5 of 8"));
  }
  StatisticsOptions options;
  options.normalize = true;
  CHECK_THROWS_AS(fit(statistics_of(rows, options), parse_spec("center slice=5")), Error);
  CHECK_THROWS_AS(fit(statistics_of(rows), parse_spec("whiten shrinkage=lw slice=5")), Error);
  CHECK_THROWS_AS(fit(statistics_of(rows), parse_spec("center slice=9")), Error);
  CHECK_NOTHROW(fit_rows(rows, "whiten shrinkage=lw slice=5 normalize=before"));
}

TEST_CASE("whitening with as few rows as directions is refused unless something softens it",
          "[core][fit][rank]") {
  const Rows all = normal_rows(100, 10, 23);
  for (const std::size_t count : {2, 5, 10, 11}) {
    CAPTURE(count);
    const Rows rows = first_rows(all, count);
    for (const char* spec : {"whiten", "whiten basis=pca", "whiten basis=zca-cor", "whiten power=0.25",
                             "whiten eps=0", "whiten shrinkage=0"}) {
      CAPTURE(spec);
      const std::string message = message_of([&] { static_cast<void>(fit_rows(rows, spec)); });
      CHECK(contains(message, "eps=1"));
      CHECK(contains(message, std::to_string(count)));
    }
    // Two rows have equal fourth powers, in which Ledoit and Wolf see nothing to shrink.
    for (const char* spec :
         {"whiten eps=1", "whiten shrinkage=oas", count > 2 ? "whiten shrinkage=lw" : "none", "pca", "center",
          "standardize", "project_mean", "remove_top"}) {
      CAPTURE(spec);
      CHECK_NOTHROW(fit_rows(rows, spec));
    }
  }
  CHECK_NOTHROW(fit_rows(first_rows(all, 12), "whiten"));
  CHECK_NOTHROW(fit_rows(first_rows(all, 5), "whiten k=3"));
  CHECK_THROWS_AS(fit_rows(first_rows(all, 5), "whiten k=4"), Error);
  SECTION("rows of weight 0 do not count") {
    Statistics statistics;
    for (std::size_t r = 0; r < 100; ++r) statistics.add(all[r], r < 11 ? 1 : 0);
    CHECK_THROWS_AS(fit(statistics, parse_spec("whiten")), Error);
  }
}

TEST_CASE("many copies of few rows are refused as few rows are", "[core][fit][rank]") {
  const Rows few = normal_rows(6, 10, 24);
  Statistics statistics;
  for (std::size_t r = 0; r < 600; ++r) statistics.add(few[r % 6]);
  const std::string message = message_of([&] { static_cast<void>(fit(statistics, parse_spec("whiten"))); });
  CHECK(contains(message, "5 of 10 directions"));
  CHECK_THROWS_AS(fit(statistics, parse_spec("whiten k=6")), Error);
  CHECK(fit(statistics, parse_spec("whiten k=5")).parts().summary.rank == 5);
}

TEST_CASE("a fit of one row or of equal rows says what is wrong", "[core][fit][rank]") {
  const Rows rows = normal_rows(1, 4, 25);
  for (const char* spec :
       {"center", "standardize", "project_mean", "remove_top", "pca", "whiten", "whiten eps=1"}) {
    CAPTURE(spec);
    CHECK(contains(message_of([&] { static_cast<void>(fit_rows(rows, spec)); }), "fit on the table"));
  }
  CHECK_NOTHROW(fit_rows(rows, "none"));
  Statistics equal;
  for (int r = 0; r < 50; ++r) equal.add(rows[0]);
  for (const char* spec :
       {"standardize", "remove_top", "pca", "whiten", "whiten eps=1", "whiten shrinkage=oas"}) {
    CAPTURE(spec);
    CHECK(
        contains(message_of([&] { static_cast<void>(fit(equal, parse_spec(spec))); }), "all rows are equal"));
  }
  CHECK_NOTHROW(fit(equal, parse_spec("center")));
  CHECK(contains(message_of([] { static_cast<void>(fit(Statistics(), parse_spec("center"))); }), "no rows"));
  Statistics weightless;
  const Rows more = normal_rows(5, 4, 26);
  for (std::size_t r = 0; r < 5; ++r) weightless.add(more[r], 0);
  CHECK(contains(message_of([&] { static_cast<void>(fit(weightless, parse_spec("center"))); }),
                 "weights are 0"));
}

TEST_CASE("dead coordinates are dropped and named, and no number becomes NaN", "[core][fit][rank]") {
  const double tiny = GENERATE(0.0, 1e-32, 5e-9);
  CAPTURE(tiny);
  const Rows rows = with_coordinate(normal_rows(400, 8, 27), 5, [&](std::span<const float> row) {
    return static_cast<float>(tiny) * (row[0] - 2);
  });
  for (const char* spec : {"whiten", "whiten basis=pca", "whiten basis=cholesky", "whiten basis=zca-cor",
                           "whiten basis=pca-cor", "standardize"}) {
    CAPTURE(spec);
    const Transform transform = fit_rows(rows, spec);
    CHECK(transform.parts().summary.dead == 1);
    CHECK(warns(transform, "coordinates have no variance: 5"));
    for (std::size_t i = 0; i < 8; ++i) CHECK(std::abs(matrix_of(transform)(i, 5)) <= 1e-6);
    CHECK(contains(transform.parts().not_invertible, "1 of 8"));
  }
  const Transform soft = fit_rows(rows, "whiten eps=1");
  CHECK(soft.parts().not_invertible.empty());
  CHECK(soft.parts().summary.dropped == 0);
}

TEST_CASE("a coordinate that repeats another is named, a stray null direction dropped", "[core][fit][rank]") {
  const Rows copied =
      with_coordinate(normal_rows(400, 8, 28), 6, [](std::span<const float> row) { return 2 * row[1]; });
  const Transform without_copy = fit_rows(copied, "whiten");
  CHECK(without_copy.parts().summary.rank == 7);
  CHECK(warns(without_copy, "coordinate 6 repeats 1"));
  const Rows constrained = with_coordinate(normal_rows(400, 8, 29), 7, [](std::span<const float> row) {
    float sum = 0;
    for (std::size_t j = 0; j < 7; ++j) sum += row[j];
    return -sum;
  });
  const Transform white = fit_rows(constrained, "whiten");
  CHECK(white.parts().summary.rank == 7);
  CHECK(warns(white, "1 direction without variance"));
  CHECK(contains(message_of([&] { static_cast<void>(fit_rows(constrained, "whiten basis=cholesky")); }),
                 "singular"));
  CHECK_NOTHROW(fit_rows(constrained, "whiten basis=cholesky eps=0.1"));
}

TEST_CASE("few rows for a direction are warned of, enough are not", "[core][fit][rank]") {
  const Rows rows = normal_rows(100, 10, 30);
  CHECK_FALSE(warns(fit_rows(rows, "whiten"), "rows a direction"));
  CHECK(warns(fit_rows(first_rows(rows, 99), "whiten"), "rows a direction"));
  CHECK_FALSE(warns(fit_rows(first_rows(rows, 50), "whiten k=5"), "rows a direction"));
  CHECK_FALSE(warns(fit_rows(first_rows(rows, 50), "whiten eps=1"), "rows a direction"));
}

TEST_CASE("project_mean warns where the mean is chance", "[core][fit]") {
  CHECK_FALSE(warns(fit_rows(normal_rows(500, 6, 31, 2), "project_mean"), "chance"));
  CHECK(warns(fit_rows(normal_rows(20, 6, 32, 0), "project_mean"), "chance"));
}

TEST_CASE("what is dropped, kept and explained is counted", "[core][fit]") {
  const Rows rows = normal_rows(500, 10, 33);
  const Transform top = fit_rows(rows, "remove_top drop=3"), pca = fit_rows(rows, "pca k=4"),
                  share = fit_rows(rows, "pca variance=0.9");
  CHECK(top.parts().summary.dropped == 3);
  CHECK(pca.output_dimensions() == 4);
  const isovec::Buffer<double>& values = pca.parts().eigenvalues;
  double total = 0, kept = 0;
  for (std::size_t m = 0; m < 10; ++m) {
    total += values[m];
    if (m < 4) kept += values[m];
  }
  CHECK(std::abs(pca.parts().summary.explained - kept / total) <= 1e-12);
  CHECK(std::abs(pca.parts().summary.condition - values[0] / values[3]) <= 1e-9);
  double sum = 0;
  std::size_t needed = 0;
  while (sum < 0.9 * total) sum += values[needed++];
  CHECK(share.output_dimensions() == needed);
  CHECK(fit_rows(rows, "pca variance=1").output_dimensions() == 10);
  CHECK_THROWS_AS(fit_rows(rows, "pca k=11"), Error);
  CHECK_THROWS_AS(fit_rows(rows, "whiten eps=1 k=11"), Error);
  CHECK_THROWS_AS(fit_rows(rows, "remove_top drop=10"), Error);
}

TEST_CASE("all specs of one Fitter cost two decompositions", "[core][fit]") {
  Fitter fitter(statistics_of(normal_rows(300, 12, 34)));
  for (const char* spec : {"none", "center", "project_mean", "remove_top", "remove_top drop=3", "standardize",
                           "whiten", "whiten eps=.1", "whiten eps=1", "whiten shrinkage=oas",
                           "whiten shrinkage=lw", "whiten power=.25", "whiten k=4", "pca k=4",
                           "whiten basis=cholesky", "whiten basis=zca-cor", "whiten basis=pca-cor k=3"}) {
    static_cast<void>(fitter.fit(parse_spec(spec)));
  }
  CHECK(fitter.decompositions() == 2);
}
