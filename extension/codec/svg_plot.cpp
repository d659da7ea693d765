#include "codec/svg_plot.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <numbers>
#include <string_view>

#include "core/work.hpp"

namespace isovec::codec {

namespace {

constexpr double kWidth = 640, kHeight = 400;
constexpr double kLeft = 64, kRight = 16, kTop = 24, kBottom = 48;
constexpr double kPlotWidth = kWidth - kLeft - kRight, kPlotHeight = kHeight - kTop - kBottom;
// Okabe and Ito's colours, which readers with colour blindness can tell apart.
constexpr std::array<std::string_view, 6> kColours = {"#0072b2", "#d55e00", "#009e73",
                                                      "#cc79a7", "#e69f00", "#56b4e9"};

std::string_view colour(std::size_t i) {
  return kColours[i % kColours.size()];
}

std::string fixed(double value, int decimals) {
  std::array<char, 64> buffer{};
  const double shown = value == 0 ? 0 : value;  // no "-0"
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), shown, std::chars_format::fixed, decimals);
  return {buffer.data(), end.ptr};
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        // XML 1.0 has no place for control characters but these three.
        out += static_cast<unsigned char>(c) >= 0x20 || c == '\t' || c == '\n' || c == '\r' ? c : ' ';
    }
  }
  return out;
}

// Maps numbers to places on the sheet.
struct Axes {
  double x_least, x_most, y_least, y_most;
  [[nodiscard]] double x(double value) const {
    return kLeft + (value - x_least) / (x_most - x_least) * kPlotWidth;
  }
  [[nodiscard]] double y(double value) const {
    return kTop + kPlotHeight - (value - y_least) / (y_most - y_least) * kPlotHeight;
  }
};

class Sheet {
 public:
  Sheet() {
    text_ =
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"640\" height=\"400\" viewBox=\"0 0 640 400\" "
        "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"640\" height=\"400\" fill=\"white\"/>\n";
  }
  void label(double x, double y, std::string_view anchor, std::string_view words,
             std::string_view fill = "#333") {
    text_ += "<text x=\"" + fixed(x, 1) + "\" y=\"" + fixed(y, 1) + "\" text-anchor=\"" +
             std::string(anchor) + "\" fill=\"" + std::string(fill) + "\">" + escaped(words) + "</text>\n";
  }
  void line(double x1, double y1, double x2, double y2) {
    text_ += "<line x1=\"" + fixed(x1, 1) + "\" y1=\"" + fixed(y1, 1) + "\" x2=\"" + fixed(x2, 1) +
             "\" y2=\"" + fixed(y2, 1) + "\" stroke=\"#ccc\"/>\n";
  }
  void path(const std::string& points, std::string_view stroke, std::string_view extra) {
    text_ += "<polyline points=\"" + points + "\" fill=\"none\" stroke=\"" + std::string(stroke) + "\" " +
             std::string(extra) + "/>\n";
  }
  void area(const std::string& points, std::string_view fill) {
    text_ += "<polygon points=\"" + points + "\" fill=\"" + std::string(fill) +
             "\" fill-opacity=\"0.35\" stroke=\"" + std::string(fill) + "\"/>\n";
  }
  void legend(std::size_t row, std::string_view words, std::string_view fill) {
    label(kWidth - kRight - 4, kTop + 16 + 16 * static_cast<double>(row), "end", words, fill);
  }
  std::string finish() { return text_ + "</svg>\n"; }

 private:
  std::string text_;
};

std::string point(double x, double y) {
  return fixed(x, 2) + "," + fixed(y, 2) + " ";
}

// Density of the cosine between random directions: the Beta((d-1)/2, (d-1)/2) law of (1 + c) / 2.
double cosine_density(double c, double d) {
  const double inside = 1 - c * c;
  if (inside <= 0) return 0;
  const double log_density = std::lgamma(d / 2) - std::lgamma((d - 1) / 2) -
                             0.5 * std::log(std::numbers::pi) + (d - 3) / 2 * std::log(inside);
  return std::exp(log_density);
}

Buffer<double> densities(const CosineHistogram& histogram) {
  std::uint64_t total = 0;
  for (const std::uint64_t count : histogram.counts) total += count;
  const double bin_width = 2.0 / static_cast<double>(histogram.counts.size());
  Buffer<double> out;
  for (const std::uint64_t count : histogram.counts) {
    out.push_back(total == 0 ? 0 : static_cast<double>(count) / static_cast<double>(total) / bin_width);
  }
  return out;
}

std::string outline(const Buffer<double>& heights, const Axes& axes) {
  const double bin_width = 2.0 / static_cast<double>(heights.size());
  std::string points = point(axes.x(-1), axes.y(0));
  for (std::size_t i = 0; i < heights.size(); ++i) {
    const double left = -1 + bin_width * static_cast<double>(i);
    points += point(axes.x(left), axes.y(heights[i])) + point(axes.x(left + bin_width), axes.y(heights[i]));
  }
  return points + point(axes.x(1), axes.y(0));
}

constexpr int kCurvePoints = 200;

double curve_peak(double d) {
  return cosine_density(0, d);
}

void draw_curve(Sheet& sheet, const Axes& axes, double d) {
  std::string points;
  for (int i = 0; i <= kCurvePoints; ++i) {
    const double c = -1 + 2.0 * i / kCurvePoints;
    points += point(axes.x(c), axes.y(std::min(cosine_density(c, d), axes.y_most)));
  }
  sheet.path(points, "#333", "stroke-dasharray=\"4 3\"");
}

// Eigenvalues descend, so that those at one place across, a hundredth of a pixel, make an upright stroke.
std::string line_of(const Buffer<double>& eigenvalues, const Axes& axes, core::Work& work) {
  const auto positive = static_cast<std::size_t>(
      std::partition_point(eigenvalues.begin(), eigenvalues.end(), [](double value) { return value > 0; }) -
      eigenvalues.begin());
  const auto across = [&](std::size_t j) { return std::round(100 * axes.x(static_cast<double>(j + 1))); };
  std::string points;
  for (std::size_t j = 0; j < positive; ++j) {
    work.done(16);
    const bool within = j > 0 && j + 1 < positive && across(j) == across(j - 1) && across(j) == across(j + 1);
    if (within) continue;
    points += point(axes.x(static_cast<double>(j + 1)), axes.y(std::log10(eigenvalues[j])));
    work.done(1024);  // two numbers are written out
  }
  return points;
}

}  // namespace

std::string plot_cosines(const Buffer<CosineHistogram>& histograms, std::optional<double> dimensions) {
  Buffer<Buffer<double>> heights;
  double peak = dimensions ? curve_peak(*dimensions) : 0;
  for (const auto& histogram : histograms) {
    heights.push_back(densities(histogram));
    peak = std::max(peak, *std::max_element(heights.back().begin(), heights.back().end()));
  }
  const Axes axes{-1, 1, 0, peak > 0 ? 1.05 * peak : 1};
  Sheet sheet;
  for (int tick = -4; tick <= 4; ++tick) {
    const double c = tick / 4.0;
    sheet.line(axes.x(c), kTop, axes.x(c), kTop + kPlotHeight);
    sheet.label(axes.x(c), kTop + kPlotHeight + 16, "middle", fixed(c, 2));
  }
  sheet.label(kLeft + kPlotWidth / 2, kHeight - 12, "middle", "cosine");
  sheet.label(kLeft - 8, kTop + 8, "end", "density");
  for (std::size_t i = 0; i < histograms.size(); ++i) {
    sheet.area(outline(heights[i], axes), colour(i));
    sheet.legend(i, histograms[i].label, colour(i));
  }
  if (dimensions) {
    draw_curve(sheet, axes, *dimensions);
    sheet.legend(histograms.size(), "random directions, d = " + fixed(*dimensions, 0), "#333");
  }
  return sheet.finish();
}

std::string plot_spectra(const Buffer<Spectrum>& spectra, const Checkpoint& checkpoint) {
  core::Work work(checkpoint);
  double least = std::numeric_limits<double>::infinity(), most = 0;
  std::size_t longest = 1;
  for (const auto& spectrum : spectra) {
    longest = std::max(longest, spectrum.eigenvalues.size());
    for (const double value : spectrum.eigenvalues) {
      if (!(value > 0)) continue;
      least = std::min(least, value);
      most = std::max(most, value);
    }
    work.done(spectrum.eigenvalues.size());
  }
  if (!(most > 0)) least = most = 1;
  const double low = std::floor(std::log10(least)), high = std::max(std::ceil(std::log10(most)), low + 1);
  const Axes axes{1, std::max(2.0, static_cast<double>(longest)), low, high};
  Sheet sheet;
  const int step = static_cast<int>(std::ceil((high - low) / 8));
  for (int tick = static_cast<int>(low); tick <= static_cast<int>(high); tick += step) {
    sheet.line(kLeft, axes.y(tick), kLeft + kPlotWidth, axes.y(tick));
    sheet.label(kLeft - 8, axes.y(tick) + 4, "end", "1e" + fixed(tick, 0));
  }
  sheet.label(kLeft, kTop + kPlotHeight + 16, "middle", "1");
  sheet.label(kLeft + kPlotWidth, kTop + kPlotHeight + 16, "middle", fixed(axes.x_most, 0));
  sheet.label(kLeft + kPlotWidth / 2, kHeight - 12, "middle", "rank of the eigenvalue");
  for (std::size_t i = 0; i < spectra.size(); ++i) {
    sheet.path(line_of(spectra[i].eigenvalues, axes, work), colour(i), "stroke-width=\"2\"");
    sheet.legend(i, spectra[i].label, colour(i));
  }
  return sheet.finish();
}

}  // namespace isovec::codec
