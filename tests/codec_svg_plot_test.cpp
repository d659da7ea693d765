// Pictures are bytes that a reader may diff: the same numbers give the same text, labels cannot break out of
// it, and heights are what the counts say.

#include <cmath>
#include <isovec/buffer.hpp>
#include <numbers>

#include "catch.hpp"
#include "codec/svg_plot.hpp"

namespace isovec::codec {
namespace {

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// The y coordinates of the first polygon or polyline whose tag starts with `tag`.
isovec::Buffer<double> heights_of(const std::string& svg, const std::string& tag) {
  const auto start = svg.find("points=\"", svg.find(tag)) + 8;
  const auto end = svg.find('"', start);
  isovec::Buffer<double> ys;
  for (auto at = svg.find(',', start); at < end; at = svg.find(',', at + 1))
    ys.push_back(std::stod(svg.substr(at + 1)));
  return ys;
}

TEST_CASE("the same histogram gives the same bytes, and every label stands in it once", "[codec][svg]") {
  const isovec::Buffer<CosineHistogram> histograms = {{"raw", {0, 1, 5, 20}}, {"whiten", {4, 9, 9, 4}}};
  const std::string svg = plot_cosines(histograms, 50);
  CHECK(svg == plot_cosines(histograms, 50));
  CHECK(svg.rfind("<svg ", 0) == 0);
  CHECK(svg.substr(svg.size() - 7) == "</svg>\n");
  CHECK(count_of(svg, ">raw</text>") == 1);
  CHECK(count_of(svg, ">whiten</text>") == 1);
  CHECK(count_of(svg, "<polygon") == 2);
  CHECK(count_of(svg, "<polyline") == 1);
}

TEST_CASE("bars stand in proportion to their counts", "[codec][svg]") {
  const std::string svg = plot_cosines({{"x", {1, 2, 4, 3}}}, std::nullopt);
  const auto ys = heights_of(svg, "<polygon");  // base, then both ends of each bar, base
  REQUIRE(ys.size() == 10);
  const double base = ys.front();
  CHECK(base == ys.back());
  const double unit = base - ys[1];
  // Coordinates are rounded to a hundredth.
  for (const auto& [at, count] : {std::pair{3, 2.0}, {5, 4.0}, {7, 3.0}}) {
    CHECK(std::abs(base - ys[static_cast<std::size_t>(at)] - count * unit) <= 0.01 * (count + 1));
  }
}

TEST_CASE("the curve of random directions in three dimensions is flat", "[codec][svg]") {
  // Archimedes: the cosine of random directions in space is uniform over [-1, 1], density 1/2.
  const auto ys = heights_of(plot_cosines({{"x", {1, 1}}}, 3), "<polyline");
  REQUIRE(ys.size() == 201);
  const auto bars = heights_of(plot_cosines({{"x", {1, 1}}}, 3), "<polygon");
  for (std::size_t i = 1; i + 1 < ys.size(); ++i) CHECK(std::abs(ys[i] - bars[1]) <= 0.011);
}

TEST_CASE("labels cannot break out of the picture", "[codec][svg]") {
  const std::string svg = plot_cosines({{"</text><script>\"'&\x01", {1}}}, std::nullopt);
  CHECK(svg.find("<script>") == std::string::npos);
  CHECK(svg.find("&lt;/text&gt;&lt;script&gt;&quot;&#39;&amp; </text>") != std::string::npos);
}

TEST_CASE("spectra leave out what has no logarithm and never print a number that is none", "[codec][svg]") {
  const auto spectra = GENERATE(isovec::Buffer<Spectrum>{{"a", {100, 10, 1, 0, -1e-18}}},
                                isovec::Buffer<Spectrum>{{"a", {0, 0}}}, isovec::Buffer<Spectrum>{{"a", {}}},
                                isovec::Buffer<Spectrum>{{"a", {1e300, 1e-300}}, {"b", {3}}});
  const std::string svg = plot_spectra(spectra);
  CHECK(svg.find("nan") == std::string::npos);
  CHECK(svg.find("inf") == std::string::npos);
  CHECK(count_of(svg, "<polyline") == spectra.size());
}

TEST_CASE("a decade is the same height anywhere in a spectrum", "[codec][svg]") {
  const auto ys = heights_of(plot_spectra({{"a", {1000, 100, 10, 1}}}), "<polyline");
  REQUIRE(ys.size() == 4);
  CHECK(std::abs((ys[1] - ys[0]) - (ys[3] - ys[2])) <= 0.021);
  CHECK(ys[1] > ys[0]);
}

}  // namespace
}  // namespace isovec::codec
