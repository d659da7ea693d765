#include "surface/aggregate_functions.hpp"

#include <cmath>

#include "core/key_values.hpp"
#include "core/log_sum.hpp"
#include "core/similarity.hpp"
#include "core/vector_sum.hpp"
#include "db/aggregate.hpp"
#include "surface/vector_argument.hpp"
#include "surface/vector_result.hpp"

namespace isovec::surface {

namespace {

// The state of vec_sum and vec_mean: made for the dimension and type of the first row.
struct Sum {
  std::optional<core::VectorSum> sum;
  codec::ElementType type = codec::ElementType::float32;
};

double weight_argument(const Arguments& arguments) {
  if (!arguments.has(1)) return 1;
  const double weight = number_argument(arguments[1], "the weight");
  if (weight < 0) {
    throw Error(Code::invalid_argument,
                "a weight must not be negative, and this is " + core::shortest(weight));
  }
  return weight;
}

void require_shape_of(const Sum& state, const codec::VectorView& row) {
  codec::require_same_shape({state.type, state.sum->dimension(), nullptr}, row);
}

void require_numbers(const codec::VectorView& row) {
  if (row.type == codec::ElementType::bit) {
    throw Error(Code::invalid_argument,
                "takes vectors of numbers, and this is bit; vec_f32() makes float32 of it");
  }
}

void add(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  DecodedVector row(arguments[0]);
  const double weight = weight_argument(arguments);
  require_numbers(row.view());
  Sum& state = db::aggregate_state<Sum>(context);
  if (!state.sum) {
    state.type = row.view().type;
    state.sum.emplace(row.dimension());
  }
  require_shape_of(state, row.view());
  state.sum->add(row.float32(), weight);
}

// SQLite gives back rows that it has given to add(), so they are sound.
void remove(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  DecodedVector row(arguments[0]);
  Sum* state = db::peek_aggregate_state<Sum>(context);
  if (state == nullptr || !state->sum) return;
  state->sum->subtract(row.float32(), weight_argument(arguments));
}

enum class What { sum, mean };

template <What Which>
void set_sum(sqlite3_context* context, const Sum* state) {
  if (state == nullptr || !state->sum || state->sum->rows() == 0) return;
  const core::VectorSum& sum = *state->sum;
  VectorResult result(codec::ElementType::float32, sum.dimension());
  const std::span<float> values = result.float32();
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(Which == What::mean ? sum.mean(i) : sum.sum(i));
    if (!std::isfinite(values[i])) {
      throw Error(Code::invalid_argument, "element " + std::to_string(i) +
                                              " of the result is beyond float32, whose largest number is "
                                              "3.4028235e38");
    }
  }
  std::move(result).set(context);
}

template <What Which>
void value(sqlite3_context* context) {
  set_sum<Which>(context, db::peek_aggregate_state<Sum>(context));
}

template <What Which>
void final(sqlite3_context* context) {
  const std::unique_ptr<Sum> state = db::take_aggregate_state<Sum>(context);
  set_sum<Which>(context, state.get());
}

void add_exponent(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  db::aggregate_state<core::LogSumOfExponentials>(context).add(number_argument(arguments[0], "x"));
}

void remove_exponent(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  auto* state = db::peek_aggregate_state<core::LogSumOfExponentials>(context);
  if (state != nullptr) state->subtract(number_argument(arguments[0], "x"));
}

void set_log_sum(sqlite3_context* context, const core::LogSumOfExponentials* state) {
  if (state != nullptr && state->terms() > 0) sqlite3_result_double(context, state->value());
}

void value_log_sum(sqlite3_context* context) {
  set_log_sum(context, db::peek_aggregate_state<core::LogSumOfExponentials>(context));
}

void final_log_sum(sqlite3_context* context) {
  set_log_sum(context, db::take_aggregate_state<core::LogSumOfExponentials>(context).get());
}

// The sum of |a/|a| - b/|b||^2 over rows.
struct Alignment {
  core::CompensatedSum sum;
  std::uint64_t rows = 0;
};

// |a/|a| - b/|b||^2 = (2 sin(angle / 2))^2; nothing where a or b is all zeros.
std::optional<double> squared_chord(const Arguments& arguments) {
  DecodedVector a(arguments[0]);
  DecodedVector b(arguments[1]);
  codec::require_same_shape(a.view(), b.view());
  require_numbers(a.view());
  const std::optional<double> angle = core::angle({a.float32(), a.dimension()}, {b.float32(), b.dimension()});
  if (!angle) return std::nullopt;
  const double chord = 2 * std::sin(*angle / 2);
  return chord * chord;
}

void add_pair(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const std::optional<double> chord = squared_chord(arguments);
  if (!chord) return;
  Alignment& state = db::aggregate_state<Alignment>(context);
  state.sum.add(*chord);
  ++state.rows;
}

void remove_pair(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const std::optional<double> chord = squared_chord(arguments);
  auto* state = db::peek_aggregate_state<Alignment>(context);
  if (!chord || state == nullptr) return;
  state->sum.subtract(*chord);
  --state->rows;
}

void set_alignment(sqlite3_context* context, const Alignment* state) {
  if (state == nullptr || state->rows == 0) return;
  sqlite3_result_double(context, state->sum.value() / static_cast<double>(state->rows));
}

void value_alignment(sqlite3_context* context) {
  set_alignment(context, db::peek_aggregate_state<Alignment>(context));
}

void final_alignment(sqlite3_context* context) {
  set_alignment(context, db::take_aggregate_state<Alignment>(context).get());
}

constexpr Function mean_row(const char* name, std::string_view signature, std::string_view summary,
                            std::string_view example, std::string_view result) {
  return {.name = name,
          .signature = signature,
          .minimum_arguments = 1,
          .maximum_arguments = 2,
          .chapter = Chapter::aggregate,
          .summary = summary,
          .example = example,
          .result = result,
          .flags = kInnocuousVector,
          .step = step<add>,
          .final = finish<final<What::mean>>,
          .value = finish<value<What::mean>>,
          .inverse = step<remove>};
}

constexpr Function kFunctions[] = {
    {.name = "vec_sum",
     .signature = "vec_sum(v)",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .chapter = Chapter::aggregate,
     .summary =
         "The sum of the rows as float32, added up with twice float64's digits. Also a window function. NULL "
         "rows are passed over; all must have one type and dimension.",
     .example = "SELECT vec_to_json(vec_sum(column1)) FROM (VALUES ('[1, 2]'), ('[3, 4]'), (NULL))",
     .result = "[4,6]",
     .flags = kInnocuousVector,
     .step = step<add>,
     .final = finish<final<What::sum>>,
     .value = finish<value<What::sum>>,
     .inverse = step<remove>},
    mean_row(
        "vec_mean", "vec_mean(v [, weight])",
        "The mean of the rows as float32, weighted where there is a weight >= 0; as vec_sum. NULL where the "
        "weights sum to 0.",
        "SELECT vec_to_json(vec_mean(column1, column2)) FROM (VALUES ('[1, 2]', 3), ('[5, 6]', 1))", "[2,3]"),
    mean_row(
        "vec_avg", "vec_avg(v [, weight])", "The same as vec_mean.",
        "SELECT column1, vec_to_json(vec_avg(column2) OVER (ORDER BY column1 ROWS 1 PRECEDING)) FROM (VALUES "
        "(1, '[1]'), (2, '[3]'), (3, '[7]'))",
        "1|[1]\n2|[2]\n3|[5]"),
    {.name = "vec_logsumexp",
     .signature = "vec_logsumexp(x)",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .chapter = Chapter::aggregate,
     .summary =
         "log(exp(x1) + exp(x2) + ...) of a column of numbers, without overflow. Also a window function: "
         "exp(a*s - vec_logsumexp(a*s) OVER (PARTITION BY q)) is the softmax of s within each q.",
     .example =
         "SELECT column1, round(exp(10*column2 - vec_logsumexp(10*column2) OVER (PARTITION BY column1)), 4) "
         "FROM (VALUES ('q1', 0.9), ('q1', 0.8), ('q2', 0.5))",
     .result = "q1|0.7311\nq1|0.2689\nq2|1.0",
     .flags = kInnocuous,
     .step = step<add_exponent>,
     .final = finish<final_log_sum>,
     .value = finish<value_log_sum>,
     .inverse = step<remove_exponent>},
    {.name = "vec_alignment",
     .signature = "vec_alignment(a, b)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::aggregate,
     .summary =
         "The mean over rows of |a/|a| - b/|b||^2, which is 2 - 2 cos(a, b): how near the two sides of "
         "positive pairs lie, 0 at best (Wang and Isola 2020). Rows with a NULL or a zero vector are passed "
         "over. Also a window function.",
     .example =
         "SELECT vec_alignment(column1, column2) FROM (VALUES ('[1, 0]', '[2, 0]'), ('[1, 0]', '[-1, 0]'))",
     .result = "2.0",
     .flags = kInnocuous,
     .step = step<add_pair>,
     .final = finish<final_alignment>,
     .value = finish<value_alignment>,
     .inverse = step<remove_pair>},
};

}  // namespace

std::span<const Function> aggregate_functions() noexcept {
  return kFunctions;
}

}  // namespace isovec::surface
