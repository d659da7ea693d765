// Statistics, transforms and drifts described in JSON, as declared in <isovec/statistics.hpp> and
// <isovec/transform.hpp>.

#include <array>
#include <cmath>
#include <isovec/fit.hpp>
#include <isovec/statistics.hpp>
#include <isovec/transform.hpp>

#include "codec/json_writer.hpp"
#include "codec/statistics_blob.hpp"
#include "codec/transform_blob.hpp"

namespace isovec {
namespace {

using codec::JsonWriter;

std::string hexadecimal(std::uint64_t hash) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = digits[(hash >> (60 - 4 * i)) & 15];
  return text;
}

void write_texts(JsonWriter& json, std::string_view key, const Buffer<std::string>& texts) {
  json.key(key).begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

double norm_of(const Buffer<double>& v) {
  double squares = 0;
  for (const double x : v) squares += x * x;
  return std::sqrt(squares);
}

double total_variance(const Statistics& statistics) {
  const Sums& sums = statistics.sums();
  double squares = 0;
  for (std::size_t j = 0; j < sums.columns(); ++j) {
    const std::size_t index = sums.options.moments == Moments::second ? j * (j + 1) / 2 + j : j;
    squares += sums.second[index] - sums.first[j] * sums.first[j] / sums.weight;
  }
  return std::max(0.0, squares / statistics.degrees_of_freedom());
}

// What full whitening is told about its softer forms.
bool whitens_fully(const TransformParts& parts) {
  return parts.spec.starts_with("whiten") && parts.summary.ridge == 0 &&
         parts.summary.kept + parts.summary.dropped == parts.columns &&
         parts.output_dimensions == parts.columns && parts.spec.find("power=") == std::string::npos &&
         parts.spec.find(" k=") == std::string::npos && parts.spec.find("variance=") == std::string::npos;
}

std::string_view name(Linear kind) {
  constexpr std::array<std::string_view, 5> names = {"identity", "diagonal", "projection", "dense",
                                                     "symmetric"};
  return names[static_cast<std::size_t>(kind)];
}

void write_fit(JsonWriter& json, const TransformParts& parts) {
  const FitSummary& summary = parts.summary;
  json.field("n", summary.rows).field("weight", summary.weight).field("n_eff", summary.effective_rows);
  json.field("kept", summary.kept).field("dropped", summary.dropped).field("dead_coordinates", summary.dead);
  if (summary.kept != 0)
    json.field("n_eff_per_direction", summary.effective_rows / static_cast<double>(summary.kept));
  if (parts.eigenvalues.empty()) return;
  json.field("rank", summary.rank)
      .field("rank_threshold", summary.rank_threshold)
      .field("shrinkage", summary.shrinkage)
      .field("ridge", summary.ridge)
      .field("condition", summary.condition)
      .field("explained", summary.explained);
}

}  // namespace

std::string to_json(const Statistics& statistics) {
  const Sums& sums = statistics.sums();
  JsonWriter json;
  json.begin_object();
  json.field("options", to_text(sums.options))
      .field("dimensions", sums.dimensions)
      .field("columns", sums.columns())
      .field("n", sums.rows)
      .field("positive_rows", sums.positive_rows)
      .field("zero_rows_skipped", sums.zero_rows)
      .field("weight", sums.weight)
      .field("squared_weight", sums.squared_weight)
      .field("n_eff", statistics.effective_rows())
      .field("degrees_of_freedom", statistics.degrees_of_freedom());
  if (sums.weight > 0) {
    json.field("mean_norm", norm_of(statistics.mean()));
    if (statistics.degrees_of_freedom() > 0) json.field("total_variance", total_variance(statistics));
  }
  const Buffer<std::byte> blob = to_blob(statistics);
  json.field("bytes", blob.size()).field("hash", hexadecimal(codec::peek_statistics_hash(blob).value_or(0)));
  json.end_object();
  return json.text();
}

std::string to_json(const Transform& transform) {
  const TransformParts& parts = transform.parts();
  JsonWriter json;
  json.begin_object();
  json.field("spec", parts.spec)
      .field("input_dimensions", parts.input_dimensions)
      .field("output_dimensions", parts.output_dimensions)
      .field("slice", parts.columns == parts.input_dimensions ? std::size_t{0} : parts.columns)
      .field("linear", name(parts.kind))
      .field("subtracts_mean", transform.subtracts_mean());
  write_fit(json, parts);
  json.field("invertible", parts.not_invertible.empty());
  if (!parts.not_invertible.empty()) json.field("not_invertible_because", parts.not_invertible);
  write_texts(json, "warnings", parts.summary.warnings);
  if (whitens_fully(parts)) {
    json.field(
        "note",
        "this whitens fully; on embeddings that were trained contrastively softer whitening (eps=1, or k= "
        "about a third of the dimensions) usually ranks better: measure on judged pairs");
  }
  const Buffer<std::byte> blob = to_blob(transform);
  json.field("bytes", blob.size()).field("hash", hexadecimal(codec::peek_transform_hash(blob).value_or(0)));
  json.end_object();
  return json.text();
}

std::string to_json(const Drift& drift) {
  JsonWriter json;
  json.begin_object();
  json.field("n", drift.rows)
      .field("mean_shift", drift.mean_shift)
      .field("worst_coordinate", drift.worst_coordinate)
      .field("mean_variance", drift.mean_variance)
      .field("participation_ratio", drift.participation_ratio)
      .field("condition", drift.condition);
  write_texts(json, "findings", drift.findings);
  json.end_object();
  return json.text();
}

}  // namespace isovec
