#include "codec/isotropy_json.hpp"

#include "codec/json_writer.hpp"

namespace isovec::codec {
namespace {

void write_norms(JsonWriter& json, const core::IsotropyReport& report) {
  json.key("norm").begin_object();
  json.field("mean", report.norm_mean)
      .field("sd", report.norm_deviation)
      .field("min", report.norm_min)
      .field("max", report.norm_max);
  json.end_object();
}

}  // namespace

std::string to_json(const core::IsotropyReport& report) {
  JsonWriter json;
  json.begin_object();
  json.field("n", report.rows).field("dimensions", report.dimensions).field("n_eff", report.effective_rows);
  write_norms(json, report);
  json.field("mean_cosine", report.mean_cosine)
      .field("sd_cosine", report.cosine_deviation)
      .field("expected_sd_cosine", report.expected_deviation)
      .field("effective_dimension", report.effective_dimension)
      .field("mean_norm", report.mean_norm)
      .field("mean_energy", report.mean_energy)
      .field("participation_ratio", report.participation_ratio)
      .field("iso_score", report.iso_score)
      .field("top_share", report.top_share)
      .field("condition", report.condition)
      .field("rank", report.rank)
      .field("dead_coordinates", report.dead.size());
  json.key("dead").begin_array();
  for (const std::size_t coordinate : report.dead) json.value(coordinate);
  json.end_array();
  json.field("rogue_coordinate", report.rogue).field("rogue_share", report.rogue_share);
  json.field("duplicate_rows", report.duplicate_rows).field("zero_rows", report.zero_rows);
  json.key("findings").begin_array();
  for (const std::string& finding : report.findings) json.value(finding);
  json.end_array();
  json.end_object();
  return json.text();
}

}  // namespace isovec::codec
