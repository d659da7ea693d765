#include "surface/plot_functions.hpp"

#include <algorithm>
#include <isovec/statistics.hpp>
#include <optional>
#include <string>

#include "codec/svg_plot.hpp"
#include "core/work.hpp"
#include "db/aggregate.hpp"
#include "db/interrupt.hpp"
#include "surface/result.hpp"
#include "surface/vector_argument.hpp"

namespace isovec::surface {

namespace {

constexpr std::size_t kBins = 80;
constexpr std::size_t kMostSeries = 16;
constexpr std::size_t kLongestLabel = 1'000;

// It stands in the legend of a picture 640 pixels wide.
std::string_view label_argument(db::Value value) {
  const std::string_view label = text_argument(value, "label");
  if (label.size() > kLongestLabel) {
    throw Error(Code::invalid_argument, "expected a label of at most " + std::to_string(kLongestLabel) +
                                            " bytes, got " + std::to_string(label.size()));
  }
  return label;
}

// The series of a label, in the order of their first rows.
template <typename Series>
Series& series_of(Buffer<Series>& all, std::string_view label) {
  const auto known =
      std::find_if(all.begin(), all.end(), [&](const Series& one) { return one.label == label; });
  if (known != all.end()) return *known;
  if (all.size() == kMostSeries) {
    throw Error(Code::invalid_argument, "more than " + std::to_string(kMostSeries) + " different labels");
  }
  Series fresh;
  fresh.label = label;
  return all.emplace_back(std::move(fresh));
}

struct HistogramState {
  Buffer<codec::CosineHistogram> histograms;
  std::optional<double> dimensions;
};

void histogram_step(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const double cosine = number_argument(arguments[0], "cosine", -1, 1);
  const std::string_view label = label_argument(arguments[1]);
  std::optional<double> dimensions;
  if (arguments.has(2)) dimensions = number_argument(arguments[2], "dimensions", 2, kMaxDimensions);
  auto& state = db::aggregate_state<HistogramState>(context);
  auto& histogram = series_of(state.histograms, label);
  if (dimensions) state.dimensions = dimensions;
  histogram.counts.resize(kBins);
  const auto bin = static_cast<std::size_t>((cosine + 1) / 2 * kBins);
  ++histogram.counts[std::min(bin, kBins - 1)];
}

void histogram_final(sqlite3_context* context) {
  const auto state = db::take_aggregate_state<HistogramState>(context);
  if (state != nullptr && !state->histograms.empty()) {
    set_text(context, codec::plot_cosines(state->histograms, state->dimensions));
  }
}

using SpectrumState = Buffer<codec::Spectrum>;

void spectrum_step(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const double eigenvalue = number_argument(arguments[0], "eigenvalue");
  const std::string_view label = label_argument(arguments[1]);
  auto& spectrum = series_of(db::aggregate_state<SpectrumState>(context), label);
  spectrum.eigenvalues.push_back(eigenvalue);
}

void spectrum_final(sqlite3_context* context) {
  const auto state = db::take_aggregate_state<SpectrumState>(context);
  if (state == nullptr || state->empty()) return;
  const Checkpoint checkpoint = db::checkpoint_of(context);
  core::Work work(checkpoint);
  for (auto& spectrum : *state) {
    core::sort(spectrum.eigenvalues.begin(), spectrum.eigenvalues.end(), work, std::greater<>());
  }
  set_text(context, codec::plot_spectra(*state, checkpoint));
}

constexpr Function kFunctions[] = {
    {.name = "vec_svg_histogram",
     .signature = "vec_svg_histogram(cosine, label [, d])",
     .minimum_arguments = 2,
     .maximum_arguments = 3,
     .chapter = Chapter::judgement,
     .summary = "Aggregate: an SVG picture of cosines as histograms, one for each label (before and after a "
                "transform), each "
                "scaled to its own count; with d, from 2 to 65535, also the curve of random directions in d "
                "dimensions. A label has at most 1000 bytes, and there are at most 16. In the "
                "sqlite3 "
                "shell: .mode list, .once plot.svg, then the SELECT.",
     .example = "WITH t(c, l) AS (VALUES (0.1, 'a'), (0.7, 'b')) SELECT vec_svg_histogram(c, l, 50) LIKE "
                "'<svg%</svg>%' FROM t",
     .result = "1",
     .flags = kInnocuous,
     .step = step<histogram_step>,
     .final = finish<histogram_final>},
    {.name = "vec_svg_spectrum",
     .signature = "vec_svg_spectrum(eigenvalue, label)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::judgement,
     .summary = "Aggregate: an SVG picture of eigenvalues against their rank on a logarithmic scale, a line "
                "for each label.",
     .example = "WITH t(v) AS (VALUES ('[1,2]'), ('[3,1]'), ('[0,5]'), ('[4,4]')) SELECT "
                "vec_svg_spectrum(eigenvalue, 'raw') "
                "LIKE '<svg%</svg>%' FROM vec_spectrum((SELECT vec_stats(v) FROM t))",
     .result = "1",
     .flags = kInnocuous,
     .step = step<spectrum_step>,
     .final = finish<spectrum_final>},
};

}  // namespace

std::span<const Function> plot_functions() noexcept {
  return kFunctions;
}

}  // namespace isovec::surface
