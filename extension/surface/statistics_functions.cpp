#include "surface/statistics_functions.hpp"

#include <isovec/fit.hpp>
#include <isovec/statistics.hpp>
#include <optional>
#include <string>

#include "codec/statistics_blob.hpp"
#include "core/work.hpp"
#include "db/aggregate.hpp"
#include "db/interrupt.hpp"
#include "surface/connection_state.hpp"
#include "surface/result.hpp"
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
  Checkpoint checkpoint;  // for all rows one, since rows are many
};

// What can never be given back is not begun.
void begin_stats(sqlite3_context* context, StatsState& state, std::string_view text, std::size_t dimensions) {
  const StatisticsOptions options = parse_statistics_options(text);
  if (dimensions <= kMaxSecondMomentDimensions || options.moments == Moments::first) {
    require_room(context, codec::blob_bytes(options, dimensions));
  }
  state.options = text;
  state.checkpoint = db::checkpoint_of(context);
  state.statistics.emplace(options);
}

// One row in or out of the statistics.
template <auto Change>
void change_stats(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const std::string_view options =
      arguments.has(2) ? text_argument(arguments[2], "options") : std::string_view();
  const double weight = weight_argument(arguments, 1);
  const FloatVector row(arguments[0]);
  auto& state = db::aggregate_state<StatsState>(context);
  if (!state.statistics) begin_stats(context, state, options, row.values().size());
  require_constant(state.options, options, "options");
  ((*state.statistics).*Change)(row.values(), weight, row.rounding(), state.checkpoint);
}

void set_statistics(sqlite3_context* context, const Statistics& statistics) {
  if (statistics.rows() == 0) return;
  const std::uint64_t bytes = codec::blob_bytes(statistics.options(), statistics.dimensions());
  require_room(context, bytes);
  const Checkpoint checkpoint = db::checkpoint_of(context);
  statistics.settle(checkpoint);
  core::Work work(checkpoint);
  const Buffer<std::byte> blob = to_blob(statistics);
  work.done(static_cast<std::size_t>(bytes));
  set_blob(context, blob);
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
  Statistics part = statistics_argument(arguments[0]);
  auto& state = db::aggregate_state<MergeState>(context);
  if (state) {
    state->merge(part, db::checkpoint_of(context));
  } else {
    state.emplace(std::move(part));
  }
}

void merge_inverse(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const Statistics part = statistics_argument(arguments[0]);
  auto& state = db::aggregate_state<MergeState>(context);
  if (state) state->subtract(part, db::checkpoint_of(context));
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
  whole.subtract(statistics_argument(arguments[1]), db::checkpoint_of(context));
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
  set_transform(context, fitter->fit(spec, db::checkpoint_of(context)));
}

struct FitState {
  std::optional<RowFitter> fitter;
  std::string spec;
  Checkpoint checkpoint;
};

void fit_step(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const std::string_view spec = text_argument(arguments[1], "spec");
  const double weight = weight_argument(arguments, 2);
  const FloatVector row(arguments[0]);
  auto& state = db::aggregate_state<FitState>(context);
  if (!state.fitter) {
    state.fitter.emplace(parse_spec(spec));
    state.spec = spec;
    state.checkpoint = db::checkpoint_of(context);
  }
  require_constant(state.spec, spec, "spec");
  state.fitter->add(row.values(), weight, row.rounding(), state.checkpoint);
}

void fit_final(sqlite3_context* context) {
  const auto state = db::take_aggregate_state<FitState>(context);
  if (state != nullptr && state->fitter) set_transform(context, state->fitter->finish(state->checkpoint));
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
     .step = step<change_stats<&Statistics::add>>,
     .final = finish<stats_final>,
     .value = finish<stats_value>,
     .inverse = step<change_stats<&Statistics::remove>>},
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
     .step = step<merge_step>,
     .final = finish<merge_final>,
     .value = finish<merge_value>,
     .inverse = step<merge_inverse>},
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
     .flags = kInnocuous | db::kResultSubtype,
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
     .step = step<fit_step>,
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
