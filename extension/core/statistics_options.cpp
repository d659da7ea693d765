#include <array>
#include <isovec/error.hpp>
#include <isovec/statistics.hpp>

#include "core/key_values.hpp"

namespace isovec {
namespace {

constexpr std::array<std::string_view, 2> kWeights = {"importance", "frequency"};
constexpr std::array<std::string_view, 2> kNormalize = {"none", "before"};
constexpr std::array<std::string_view, 2> kPrecision = {"double", "float"};
constexpr std::array<std::string_view, 2> kMoments = {"first", "second"};
constexpr std::string_view kApplies =
    "weights=importance|frequency, normalize=none|before, precision=double|float, moments=second|first, "
    "slice=n";

}  // namespace

StatisticsOptions parse_statistics_options(std::string_view text) {
  StatisticsOptions options;
  for (const core::KeyValue& part : core::split_key_values(text)) {
    const std::string_view value = part.value.value_or("");
    if (part.key == "weights") {
      options.weights = static_cast<Weights>(core::choice("weights=", value, kWeights));
    } else if (part.key == "normalize") {
      options.normalize = core::choice("normalize=", value, kNormalize) == 1;
    } else if (part.key == "precision") {
      options.precision = static_cast<Precision>(core::choice("precision=", value, kPrecision));
    } else if (part.key == "moments") {
      options.moments = static_cast<Moments>(core::choice("moments=", value, kMoments));
    } else if (part.key == "slice") {
      options.slice = core::count_of(part);
      if (options.slice > kMaxDimensions) {
        throw Error(Code::invalid_argument, "slice= takes at most " + std::to_string(kMaxDimensions) +
                                                ", the most dimensions of a vector, got " +
                                                std::string(value));
      }
    } else {
      throw Error(Code::invalid_argument, "the option '" + std::string(part.key) +
                                              "' is unknown: what applies is " + std::string(kApplies));
    }
  }
  return options;
}

std::string to_text(const StatisticsOptions& options) {
  std::string text;
  const auto append = [&](std::string_view key, std::string_view value) {
    if (!text.empty()) text += ' ';
    text.append(key).append("=").append(value);
  };
  if (options.slice != 0) append("slice", std::to_string(options.slice));
  if (options.normalize) append("normalize", "before");
  if (options.weights != Weights::importance) append("weights", "frequency");
  if (options.precision != Precision::float64) append("precision", "float");
  if (options.moments != Moments::second) append("moments", "first");
  return text;
}

}  // namespace isovec
