#include "surface/pair_functions.hpp"

#include <algorithm>
#include <limits>

#include "codec/cosine_report.hpp"
#include "core/cosine_distribution.hpp"
#include "core/key_values.hpp"
#include "core/pairwise.hpp"
#include "core/similarity.hpp"
#include "db/aggregate.hpp"
#include "db/interrupt.hpp"
#include "surface/result.hpp"
#include "surface/table_function.hpp"
#include "surface/vector_argument.hpp"

namespace isovec::surface {

namespace {

// A row of numbers.
class NumberRow {
 public:
  explicit NumberRow(db::Value value) : vector_(value) {
    if (vector_.view().type == codec::ElementType::bit) {
      throw Error(Code::invalid_argument, "takes vectors of numbers, and this is bit");
    }
  }
  [[nodiscard]] const codec::VectorView& view() const noexcept { return vector_.view(); }
  [[nodiscard]] std::span<const float> values() { return {vector_.float32(), vector_.dimension()}; }

 private:
  DecodedVector vector_;
};

codec::VectorView shape_of(const codec::VectorView& view) noexcept {
  return {view.type, view.dimension, nullptr};
}

// What the aggregates over one column of vectors keep; the parameters are those of the first row.
struct Sampled {
  Sampled(const codec::VectorView& first, double number, std::optional<std::uint64_t> seed)
      : shape(shape_of(first)), parameter(number), rows(first.dimension, seed) {}
  codec::VectorView shape;
  double parameter;  // t, or the number of bins
  core::RowSample rows;
};
using SampledState = std::optional<Sampled>;

std::optional<std::uint64_t> seed_argument(const Arguments& arguments) {
  if (!arguments.has(2)) return std::nullopt;
  using Limits = std::numeric_limits<std::int64_t>;
  return static_cast<std::uint64_t>(integer_argument(arguments[2], "the seed", Limits::min(), Limits::max()));
}

void add_row(sqlite3_context* context, const Arguments& arguments, double parameter) {
  NumberRow row(arguments[0]);
  const std::optional<std::uint64_t> seed = seed_argument(arguments);
  SampledState& state = db::aggregate_state<SampledState>(context);
  if (!state) state.emplace(row.view(), parameter, seed);
  codec::require_same_shape(state->shape, row.view());
  if (state->parameter != parameter) {
    throw Error(Code::invalid_argument, "the second argument must be the same in every row");
  }
  state->rows.add(row.values());
}

void add_uniformity(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  constexpr double kUsual = 2;
  add_row(context, arguments, arguments.has(1) ? positive_argument(arguments[1], "t") : kUsual);
}

void final_uniformity(sqlite3_context* context) {
  const auto state = db::take_aggregate_state<SampledState>(context);
  if (state == nullptr || !*state || (*state)->rows.rows().size() < 2) return;
  const Sampled& sampled = **state;
  sqlite3_result_double(context,
                        core::uniformity(sampled.rows.rows(), sampled.parameter, db::checkpoint_of(context)));
}

void add_histogram(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const std::int64_t bins = integer_argument(arguments[1], "the number of bins", 1, codec::kMostBins);
  add_row(context, arguments, static_cast<double>(bins));
}

// The probability that the cosine of random directions lies from `low` to `high`.
double isotropic_share(double low, double high, std::size_t dimension) {
  if (dimension == 1) return (low <= -1 ? 0.5 : 0) + (high >= 1 ? 0.5 : 0);
  const auto d = static_cast<double>(dimension);
  if (low < 0 && high <= 0) return isotropic_share(-high, -low, dimension);  // the tail that is not near 1
  return core::cosine_tail(low, d) - core::cosine_tail(high, d);
}

codec::CosineReport report_of(const core::RowSample& sample, const Buffer<std::uint64_t>& counts) {
  const auto n = static_cast<double>(sample.rows().size());
  const double pairs = n * (n - 1) / 2;
  codec::CosineReport report{
      sample.seen(), sample.rows().size(), sample.rows().dimension(), static_cast<std::uint64_t>(pairs), {}};
  const auto bins = static_cast<double>(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double low = (2 * static_cast<double>(i) - bins) / bins;
    const double high = (2 * static_cast<double>(i + 1) - bins) / bins;
    report.bins.push_back(
        {low, high, counts[i], pairs * isotropic_share(low, high, sample.rows().dimension())});
  }
  return report;
}

void final_histogram(sqlite3_context* context) {
  const auto state = db::take_aggregate_state<SampledState>(context);
  if (state == nullptr || !*state || (*state)->rows.rows().size() < 2) return;
  const Sampled& sampled = **state;
  const auto bins = static_cast<std::size_t>(sampled.parameter);
  const Buffer<std::uint64_t> counts =
      core::cosine_histogram(sampled.rows.rows(), bins, db::checkpoint_of(context));
  set_text(context, codec::to_json(report_of(sampled.rows, counts)));
}

// What vec_info_nce keeps.
struct Contrast {
  Contrast(const codec::VectorView& first, const core::InfoNceOptions& given)
      : shape(shape_of(first)), options(given), queries(first.dimension), positives(first.dimension) {}
  codec::VectorView shape;
  core::InfoNceOptions options;
  core::UnitRows queries;
  core::UnitRows positives;
};
using ContrastState = std::optional<Contrast>;

bool truth_of(const core::KeyValue& part) {
  if (part.value == "1") return true;
  if (part.value == "0") return false;
  throw Error(Code::invalid_argument, "the option " + std::string(part.key) + " is 0 or 1, and this is " +
                                          std::string(part.value.value_or("missing")));
}

core::InfoNceOptions contrast_options(const Arguments& arguments) {
  core::InfoNceOptions options;
  constexpr double kLeast = 1e-300;  // cos / tau stays within float64
  options.temperature = positive_argument(arguments[2], "tau");
  if (options.temperature < kLeast) {
    throw Error(Code::invalid_argument,
                "tau must be at least 1e-300, and this is " + core::shortest(options.temperature));
  }
  if (!arguments.has(3)) return options;
  for (const core::KeyValue& part : core::split_key_values(text_argument(arguments[3], "the options"))) {
    if (part.key == "symmetric") {
      options.symmetric = truth_of(part);
    } else if (part.key == "mask_duplicates") {
      options.mask_duplicates = truth_of(part);
    } else {
      throw Error(Code::invalid_argument, "the option '" + std::string(part.key) +
                                              "' is unknown: give symmetric=1 or mask_duplicates=1");
    }
  }
  return options;
}

void add_contrast(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  NumberRow query(arguments[0]);
  NumberRow positive(arguments[1]);
  codec::require_same_shape(query.view(), positive.view());
  ContrastState& state = db::aggregate_state<ContrastState>(context);
  if (!state) state.emplace(query.view(), contrast_options(arguments));
  codec::require_same_shape(state->shape, query.view());
  if (state->options.temperature != arguments[2].real()) {
    throw Error(Code::invalid_argument, "tau must be the same in every row");
  }
  if (core::norm(query.values()) == 0 || core::norm(positive.values()) == 0) return;
  if (state->queries.size() == core::kMostPairedRows) {
    throw Error(Code::too_big, "all pairs of more than " + std::to_string(core::kMostPairedRows) +
                                   " rows are too many: give it a sample, or parts by GROUP BY");
  }
  state->queries.add(query.values().data(), core::hash_of_row(query.values(), 0));
  state->positives.add(positive.values().data(), core::hash_of_row(positive.values(), 0));
}

void final_contrast(sqlite3_context* context) {
  const auto state = db::take_aggregate_state<ContrastState>(context);
  if (state == nullptr || !*state || (*state)->queries.size() == 0) return;
  const Contrast& contrast = **state;
  sqlite3_result_double(context, core::info_nce(contrast.queries, contrast.positives, contrast.options,
                                                db::checkpoint_of(context)));
}

// A bar of block characters, `eighths` of one long.
std::string bar(std::int64_t eighths) {
  static constexpr const char* kParts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  std::string text;
  for (std::int64_t i = 0; i < eighths / 8; ++i) text += "█";
  return text + kParts[eighths % 8];
}

// The bins of a report of vec_cosine_histogram, as rows.
class Bins : public Rows {
 public:
  explicit Bins(std::string_view report) : bins_(codec::parse_cosine_report(report).bins) {
    for (const Bin& bin : bins_) most_ = std::max(most_, bin.count);
  }
  bool next() override { return ++index_ < static_cast<std::int64_t>(bins_.size()); }
  void column(sqlite3_context* context, int index) override {
    const Bin& bin = bins_[static_cast<std::size_t>(index_)];
    switch (index) {
      case 0:
        return sqlite3_result_double(context, bin.low);
      case 1:
        return sqlite3_result_double(context, bin.high);
      case 2:
        return sqlite3_result_int64(context, static_cast<std::int64_t>(bin.count));
      case 3:
        return sqlite3_result_double(context, bin.expected);
      default:
        break;
    }
    constexpr double kLongest = 40 * 8;
    const double share = most_ > 0 ? static_cast<double>(bin.count) / static_cast<double>(most_) : 0;
    set_text(context, bar(static_cast<std::int64_t>(std::clamp(share, 0.0, 1.0) * kLongest)));
  }
  [[nodiscard]] std::int64_t rowid() const override { return index_; }

 private:
  using Bin = codec::CosineReport::Bin;
  Buffer<Bin> bins_;
  std::uint64_t most_ = 0;
  std::int64_t index_ = -1;
};

constexpr TableFunction kHistogram{
    .columns = "lo REAL, hi REAL, n INTEGER, expected REAL, bar TEXT",
    .visible_columns = 5,
    .arguments = "report HIDDEN",
    .minimum_arguments = 1,
    .maximum_arguments = 1,
    .open = [](sqlite3*, std::span<sqlite3_value* const> arguments) -> std::unique_ptr<Rows> {
      const db::Value report(arguments[0]);
      if (report.is_null()) return nullptr;
      return std::make_unique<Bins>(text_argument(report, "the report"));
    },
};

constexpr Function kFunctions[] = {
    {.name = "vec_uniformity",
     .signature = "vec_uniformity(v [, t [, seed]])",
     .minimum_arguments = 1,
     .maximum_arguments = 3,
     .chapter = Chapter::aggregate,
     .summary =
         "How evenly the directions of the rows cover the sphere: the log of the mean over all pairs of "
         "exp(-t |a/|a| - b/|b||^2), t = 2; lower is more even (Wang and Isola 2020). Exact up to 16,384 "
         "rows; beyond that an error, or with a seed a sample of that many rows, chosen by the rows and the "
         "seed alone. NULL below two rows.",
     .example = "SELECT round(vec_uniformity(column1), 6) FROM (VALUES ('[1, 0]'), ('[0, 1]'))",
     .result = "-4.0",
     .flags = kInnocuous,
     .step = step<add_uniformity>,
     .final = finish<final_uniformity>},
    {.name = "vec_info_nce",
     .signature = "vec_info_nce(query, positive, tau [, options])",
     .minimum_arguments = 3,
     .maximum_arguments = 4,
     .chapter = Chapter::aggregate,
     .summary =
         "The InfoNCE loss: the mean over rows of -log of the softmax of cos(query, positive) / tau among "
         "the "
         "positives of all rows, with natural logarithms. Options: 'symmetric=1' takes the mean with the "
         "same "
         "from positives to queries; 'mask_duplicates=1' keeps rows that share a query or a positive from "
         "being negatives of each other. Up to 16,384 rows.",
     .example =
         "SELECT round(vec_info_nce(column1, column2, 1.0), 6) FROM (VALUES ('[1, 0]', '[2, 0]'), ('[0, 1]', "
         "'[0, 3]'))",
     .result = "0.313262",
     .flags = kInnocuous,
     .step = step<add_contrast>,
     .final = finish<final_contrast>},
    {.name = "vec_cosine_histogram",
     .signature = "vec_cosine_histogram(v, bins [, seed])",
     .minimum_arguments = 2,
     .maximum_arguments = 3,
     .chapter = Chapter::aggregate,
     .summary =
         "A JSON report of the cosines of all pairs of rows in equal bins over [-1, 1], with the numbers "
         "that random directions would give; vec_histogram reads it. Rows and seed as for vec_uniformity.",
     .example =
         "SELECT vec_cosine_histogram(column1, 2) FROM (VALUES ('[1, 0, 0]'), ('[0, 1, 0]'), ('[-1, 0, 1]'))",
     .result = "{\"rows\":3,\"sampled\":3,\"dimension\":3,\"pairs\":3,\"bins\":[{\"lo\":-1,\"hi\":0,\"n\":1,"
               "\"expected\":1.5},{\"lo\":0,\"hi\":1,\"n\":2,\"expected\":1.5}]}",
     .flags = kInnocuous,
     .step = step<add_histogram>,
     .final = finish<final_histogram>},
    {.name = "vec_histogram",
     .signature = "vec_histogram(report)",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .chapter = Chapter::aggregate,
     .summary = "The bins of a report of vec_cosine_histogram as a table: lo, hi, n, expected (of random "
                "directions), "
                "bar (a drawing).",
     .example =
         "SELECT lo, hi, n, expected, bar FROM vec_histogram((SELECT vec_cosine_histogram(column1, 2) FROM "
         "(VALUES ('[1, 0, 0]'), ('[0, 1, 0]'), ('[-1, 0, 1]'))))",
     .result = "-1.0|0.0|1|1.5|████████████████████\n0.0|1.0|2|1.5|████████████████████████████████████████",
     .flags = 0,
     .module = &module_of<kHistogram>},
};

}  // namespace

std::span<const Function> pair_functions() noexcept {
  return kFunctions;
}

}  // namespace isovec::surface
