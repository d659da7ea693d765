#include "surface/judgement_functions.hpp"

#include <cmath>
#include <isovec/buffer.hpp>
#include <limits>
#include <optional>

#include "core/key_values.hpp"
#include "core/rank_metrics.hpp"
#include "db/aggregate.hpp"
#include "db/interrupt.hpp"
#include "surface/vector_argument.hpp"

namespace isovec::surface {

namespace {

// Two columns of numbers, and the k of the first row.
struct Columns {
  Buffer<double> first;
  Buffer<double> second;
  std::optional<std::int64_t> k;

  void add(double x, double y) {
    first.push_back(x);
    second.push_back(y);
  }
};

void add_numbers(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const double first = number_argument(arguments[0], "x");
  const double second = number_argument(arguments[1], "y");
  Columns& columns = db::aggregate_state<Columns>(context);
  columns.add(first, second);
}

void add_scored(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const double score = number_argument(arguments[0], "the score");
  const double gain = number_argument(arguments[1], "the gain");
  if (gain < 0) {
    throw Error(Code::invalid_argument, "a gain must not be negative, and this is " + core::shortest(gain));
  }
  const std::int64_t k = integer_argument(arguments[2], "k", 1, std::numeric_limits<std::int64_t>::max());
  Columns& columns = db::aggregate_state<Columns>(context);
  if (columns.k.value_or(k) != k) throw Error(Code::invalid_argument, "k must be the same in every row");
  columns.add(score, gain);
  columns.k = k;
}

void set_defined(sqlite3_context* context, double value) {
  if (!std::isnan(value)) sqlite3_result_double(context, value);
}

template <auto Correlation>
void final_correlation(sqlite3_context* context) {
  const auto columns = db::take_aggregate_state<Columns>(context);
  if (columns != nullptr)
    set_defined(context, Correlation(columns->first, columns->second, db::checkpoint_of(context)));
}

template <auto Metric>
void final_metric(sqlite3_context* context) {
  const auto columns = db::take_aggregate_state<Columns>(context);
  if (columns == nullptr || !columns->k) return;
  set_defined(context, Metric(columns->first, columns->second, static_cast<std::size_t>(*columns->k),
                              db::checkpoint_of(context)));
}

constexpr Function kFunctions[] = {
    {.name = "vec_pearson",
     .signature = "vec_pearson(x, y)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::judgement,
     .summary =
         "Pearson's correlation of two columns. Rows with a NULL are passed over; NULL where a column is "
         "constant or shorter than two.",
     .example = "SELECT round(vec_pearson(column1, column2), 6) FROM (VALUES (1, 1), (2, 3), (3, 2))",
     .result = "0.5",
     .flags = kInnocuous,
     .step = step<add_numbers>,
     .final = finish<final_correlation<core::pearson>>},
    {.name = "vec_spearman",
     .signature = "vec_spearman(x, y)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::judgement,
     .summary =
         "Spearman's rank correlation of two columns, ties sharing the mean of their ranks; as vec_pearson.",
     .example = "SELECT round(vec_spearman(column1, column2), 6) FROM (VALUES (0.1, 1), (0.5, 2), (0.9, 30))",
     .result = "1.0",
     .flags = kInnocuous,
     .step = step<add_numbers>,
     .final = finish<final_correlation<core::spearman>>},
    {.name = "vec_ndcg",
     .signature = "vec_ndcg(score, gain, k)",
     .minimum_arguments = 3,
     .maximum_arguments = 3,
     .chapter = Chapter::judgement,
     .summary =
         "The normalized discounted cumulative gain of the k rows with the highest scores: the sum of gain / "
         "log2(rank + 1) over the best attainable. Tied scores share their mean gain, so the order of rows "
         "does not matter. NULL where no gain is above 0. One query a group: GROUP BY the query, then avg().",
     .example = "SELECT round(vec_ndcg(column1, column2, 2), 6) FROM (VALUES (0.9, 0), (0.8, 1), (0.1, 0))",
     .result = "0.63093",
     .flags = kInnocuous,
     .step = step<add_scored>,
     .final = finish<final_metric<core::ndcg>>},
    {.name = "vec_recall",
     .signature = "vec_recall(score, relevant, k)",
     .minimum_arguments = 3,
     .maximum_arguments = 3,
     .chapter = Chapter::judgement,
     .summary =
         "The share of the relevant rows (relevant > 0) among the k highest scores; a tie at the k-th place "
         "counts by its chance. NULL where no row is relevant.",
     .example = "SELECT vec_recall(column1, column2, 2) FROM (VALUES (0.9, 0), (0.8, 1), (0.1, 1))",
     .result = "0.5",
     .flags = kInnocuous,
     .step = step<add_scored>,
     .final = finish<final_metric<core::recall>>},
};

}  // namespace

std::span<const Function> judgement_functions() noexcept {
  return kFunctions;
}

}  // namespace isovec::surface
