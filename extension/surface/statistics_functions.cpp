#include "surface/statistics_functions.hpp"

#include <isovec/fit.hpp>
#include <isovec/statistics.hpp>
#include <optional>
#include <string>

#include "codec/statistics_blob.hpp"
#include "db/aggregate.hpp"
#include "db/interrupt.hpp"
#include "surface/connection_state.hpp"
#include "surface/transform_argument.hpp"

namespace isovec::surface {

namespace {

// An aggregate's text argument must be the same for every row: it is read at the first.
void require_constant(const std::string& first, std::string_view now, const char* what) {
  if (first == now) return;
  throw Error(Code::invalid_argument, std::string(what) + " must be the same for every row: '" + first +
                                          "' and '" + std::string(now) + "'");
}

struct StatsState {
  std::optional<Statistics> statistics;
  std::string options;
};

StatsState& stats_state(sqlite3_context* context, const Arguments& arguments) {
  auto& state = db::aggregate_state<StatsState>(context);
  const std::string_view options =
      arguments.has(2) ? text_argument(arguments[2], "options") : std::string_view();
  if (!state.statistics) {
    state.options = options;
    state.statistics.emplace(parse_statistics_options(options));
  }
  require_constant(state.options, options, "options");
  return state;
}

void stats_step(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  auto& state = stats_state(context, arguments);
  const FloatVector row(arguments[0]);
  state.statistics->add(row.values(), weight_argument(arguments, 1), row.rounding());
}

void stats_inverse(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  auto& state = stats_state(context, arguments);
  const FloatVector row(arguments[0]);
  state.statistics->remove(row.values(), weight_argument(arguments, 1), row.rounding());
}

void set_statistics(sqlite3_context* context, const Statistics& statistics) {
  if (statistics.rows() > 0) set_blob(context, to_blob(statistics));
}

void stats_value(sqlite3_context* context) {
  const auto* state = db::peek_aggregate_state<StatsState>(context);
  if (state != nullptr && state->statistics) set_statistics(context, *state->statistics);
}

void stats_final(sqlite3_context* context) {
  const auto state = db::take_aggregate_state<StatsState>(context);
  if (state != nullptr && state->statistics) set_statistics(context, *state->statistics);
}

using MergeState = std::optional<Statistics>;

void merge_step(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  auto& state = db::aggregate_state<MergeState>(context);
  if (state) {
    state->merge(statistics_argument(arguments[0]));
  } else {
    state.emplace(statistics_argument(arguments[0]));
  }
}

void merge_inverse(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  auto& state = db::aggregate_state<MergeState>(context);
  if (state) state->subtract(statistics_argument(arguments[0]));
}

void merge_value(sqlite3_context* context) {
  const auto* state = db::peek_aggregate_state<MergeState>(context);
  if (state != nullptr && *state) set_statistics(context, **state);
}

void merge_final(sqlite3_context* context) {
  const auto state = db::take_aggregate_state<MergeState>(context);
  if (state != nullptr && *state) set_statistics(context, **state);
}

void subtract(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  Statistics whole = statistics_argument(arguments[0]);
  whole.subtract(statistics_argument(arguments[1]));
  set_statistics(context, whole);
}

void info(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  set_json(context, to_json(statistics_argument(arguments[0])));
}

// One use of the fitter of a statistics BLOB. The connection keeps it, so that specs fitted to the same
// statistics one after the other share its decompositions; also those of a spec that could not be fitted.
class FitterUse {
 public:
  FitterUse(ConnectionState& state, std::span<const std::byte> blob) : state_(state) {
    const std::uint64_t hash = codec::peek_statistics_hash(blob).value_or(0);
    fitter_ = state.fitters.find(hash, blob);
    if (fitter_ == nullptr) fitter_ = std::make_shared<Fitter>(statistics_from_blob(blob));
    before_ = fitter_->decompositions();
    state.fitters.keep(hash, fitter_);
  }
  ~FitterUse() {
    state_.decompositions += fitter_->decompositions() - before_;
    state_.fitters.trim();
  }
  FitterUse(const FitterUse&) = delete;
  FitterUse& operator=(const FitterUse&) = delete;
  Fitter* operator->() const noexcept { return fitter_.get(); }

 private:
  ConnectionState& state_;
  std::shared_ptr<Fitter> fitter_;
  std::size_t before_ = 0;
};

void fit_stats(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const Spec spec = parse_spec(text_argument(arguments[1], "spec"));
  const FitterUse fitter(state_of(context), statistics_bytes(arguments[0]));
  set_blob(context, to_blob(fitter->fit(spec, db::checkpoint_of(context))));
}

struct FitState {
  std::optional<RowFitter> fitter;
  std::string spec;
};

void fit_step(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  auto& state = db::aggregate_state<FitState>(context);
  const std::string_view spec = text_argument(arguments[1], "spec");
  if (!state.fitter) {
    state.spec = spec;
    state.fitter.emplace(parse_spec(spec));
  }
  require_constant(state.spec, spec, "spec");
  const FloatVector row(arguments[0]);
  state.fitter->add(row.values(), weight_argument(arguments, 2), row.rounding());
}

void fit_final(sqlite3_context* context) {
  const auto state = db::take_aggregate_state<FitState>(context);
  if (state != nullptr && state->fitter)
    set_blob(context, to_blob(state->fitter->finish(db::checkpoint_of(context))));
}

#define ISOVEC_FOUR_ROWS "WITH t(v) AS (VALUES ('[1,2]'), ('[3,1]'), ('[0,5]'), ('[4,4]')) "

constexpr Function kFunctions[] = {
    {.name = "vec_stats",
     .signature = "vec_stats(v [, weight [, options]])",
     .minimum_arguments = 1,
     .maximum_arguments = 3,
     .chapter = Chapter::transform,
     .summary =
         "Aggregate and window: statistics of the rows, a BLOB from which any transform is fitted. It takes "
         "d(d+1)/2 float64 numbers for vectors of d dimensions, 268 MB at the most of 8,192; with "
         "moments=first, "
         "2d numbers and any d. A weight is 0, or from 1e-100 to 1e100. options are key=value: "
         "weights=importance|frequency, normalize=none|before, precision=double|float, moments=second|first, "
         "slice=n. Skips NULL; NULL on no rows.",
     .example = ISOVEC_FOUR_ROWS "SELECT vec_stats_info(vec_stats(v)) ->> 'n' FROM t",
     .result = "4",
     .flags = kInnocuous,
     .step = call<stats_step>,
     .final = finish<stats_final>,
     .value = finish<stats_value>,
     .inverse = call<stats_inverse>},
    {.name = "vec_stats_merge",
     .signature = "vec_stats_merge(stats)",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .chapter = Chapter::transform,
     .summary = "Aggregate and window: the statistics of all rows behind several statistics, as if taken in "
                "one pass. "
                "They must have been taken with the same options.",
     .example = ISOVEC_FOUR_ROWS ", s(s) AS (SELECT vec_stats(v) FROM t GROUP BY v < '[2') "
                                 "SELECT vec_stats_info(vec_stats_merge(s)) ->> 'n' FROM s",
     .result = "4",
     .flags = kInnocuous,
     .step = call<merge_step>,
     .final = finish<merge_final>,
     .value = finish<merge_value>,
     .inverse = call<merge_inverse>},
    {.name = "vec_stats_subtract",
     .signature = "vec_stats_subtract(whole, part)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::transform,
     .summary = "The statistics of the rows of whole that are not in part. An error where part cannot be a "
                "part of whole.",
     .example = ISOVEC_FOUR_ROWS
     "SELECT vec_stats_info(vec_stats_subtract(vec_stats(v), vec_stats(v) FILTER (WHERE v = "
     "'[4,4]'))) ->> 'n' FROM t",
     .result = "3",
     .flags = kInnocuous,
     .call = call<subtract>},
    {.name = "vec_stats_info",
     .signature = "vec_stats_info(stats)",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .chapter = Chapter::transform,
     .summary =
         "A JSON object about statistics: options, rows, dimensions, weights, mean and variance in short.",
     .example = ISOVEC_FOUR_ROWS "SELECT vec_stats_info(vec_stats(v)) ->> 'dimensions' FROM t",
     .result = "2",
     .flags = kInnocuous,
     .call = call<info>},
    {.name = "vec_fit",
     .signature = "vec_fit(v, spec [, weight])",
     .minimum_arguments = 2,
     .maximum_arguments = 3,
     .chapter = Chapter::transform,
     .summary =
         "Aggregate: a transform fitted to the rows, a BLOB. spec is a method (none, center, standardize, "
         "project_mean, remove_top, pca, whiten) and key=value pairs, as in 'whiten eps=1'; an error lists "
         "what "
         "applies. Skips NULL; NULL on no rows.",
     .example =
         ISOVEC_FOUR_ROWS "SELECT vec_to_json(vec_transform('[1,2]', (SELECT vec_fit(v, 'center') FROM t)))",
     .result = "[-1,-1]",
     .flags = kInnocuous,
     .step = call<fit_step>,
     .final = finish<fit_final>},
    {.name = "vec_fit_stats",
     .signature = "vec_fit_stats(stats, spec)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::transform,
     .summary = "A transform fitted to the rows behind statistics: the same as vec_fit over these rows. "
                "Several specs "
                "for the same statistics, one after the other, share their eigendecompositions.",
     .example = ISOVEC_FOUR_ROWS
     "SELECT vec_to_json(vec_transform('[1,2]', vec_fit_stats((SELECT vec_stats(v) FROM t), 'center')))",
     .result = "[-1,-1]",
     .flags = kInnocuous,
     .call = call<fit_stats>},
};

#undef ISOVEC_FOUR_ROWS

}  // namespace

std::span<const Function> statistics_functions() noexcept {
  return kFunctions;
}

}  // namespace isovec::surface
