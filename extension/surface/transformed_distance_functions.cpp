#include "surface/transformed_distance_functions.hpp"

#include <optional>
#include <string>

#include "core/similarity.hpp"
#include "surface/transform_argument.hpp"

namespace isovec::surface {

namespace {

void set_number(sqlite3_context* context, std::optional<double> number) {
  if (number) sqlite3_result_double(context, *number);
}

// measure(T a, T b), the same as of vec_transform() on each side.
template <auto Measured>
void after_transform(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const auto map = transform_argument(context, arguments, 2);
  const TransformedArgument a(context, arguments, 0, map);
  const TransformedArgument b(context, arguments, 1, map);
  set_number(context, Measured(a.values(), b.values()));
}

void distance_l2(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const auto map = transform_argument(context, arguments, 2);
  const FloatVector a(arguments[0]), b(arguments[1]);
  require_input_of(*map, a.values());
  require_input_of(*map, b.values());
  sqlite3_result_double(context, map->distance_l2(a.values(), b.values()));
}

// Two transforms meet in one space only where their linear parts are one, or where neither rotates.
void require_common_space(const Transform& a, const Transform& b) {
  if (a.output_dimensions() != b.output_dimensions()) {
    throw Error(Code::invalid_argument,
                "dimensions differ after the transforms: " + std::to_string(a.output_dimensions()) + " and " +
                    std::to_string(b.output_dimensions()));
  }
  if ((a.symmetric() && b.symmetric()) || same_linear_part(a, b)) return;
  throw Error(Code::invalid_argument,
              "the transforms rotate each side its own way, so their outputs cannot be compared: use "
              "vec_recenter(T, mean) for the second one, or basis=zca for both");
}

void cosine_of_two(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const auto query_map = transform_argument(context, arguments, 2);
  const auto row_map = transform_argument(context, arguments, 3);
  if (query_map != row_map) require_common_space(*query_map, *row_map);
  const TransformedArgument q(context, arguments, 0, query_map);
  const TransformedArgument x(context, arguments, 1, row_map);
  set_number(context, core::cosine(q.values(), x.values()));
}

#define ISOVEC_CENTERED                                                \
  "WITH t(v) AS (VALUES ('[1,2]'), ('[3,1]'), ('[0,5]'), ('[4,4]')), " \
  "f(T) AS (SELECT vec_fit(v, 'center') FROM t) "

constexpr Function kFunctions[] = {
    {.name = "vec_cosine",
     .signature = "vec_cosine(a, b, T)",
     .minimum_arguments = 3,
     .maximum_arguments = 3,
     .chapter = Chapter::transform,
     .summary = "Cosine of vec_transform(a, T) and vec_transform(b, T), bit for bit; NULL where one is a "
                "zero vector.",
     .example = ISOVEC_CENTERED "SELECT vec_cosine('[4,4]', '[3,4]', T) FROM f",
     .result = "0.948683298050514",
     .flags = kPure,
     .call = call<after_transform<core::cosine>>},
    {.name = "vec_cosine",
     .signature = "vec_cosine(q, x, Tq, Tx)",
     .minimum_arguments = 4,
     .maximum_arguments = 4,
     .chapter = Chapter::transform,
     .summary = "Cosine of vec_transform(q, Tq) and vec_transform(x, Tx): queries and documents each around "
                "their own "
                "mean. An error unless both transforms have the same linear part (vec_recenter) or are both "
                "symmetric.",
     .example = ISOVEC_CENTERED "SELECT vec_cosine('[2,2]', '[4,4]', vec_recenter(T, '[1,1]'), T) FROM f",
     .result = "0.948683298050514",
     .flags = kPure,
     .call = call<cosine_of_two>},
    {.name = "vec_dot",
     .signature = "vec_dot(a, b, T)",
     .minimum_arguments = 3,
     .maximum_arguments = 3,
     .chapter = Chapter::transform,
     .summary = "Inner product of vec_transform(a, T) and vec_transform(b, T).",
     .example = ISOVEC_CENTERED "SELECT vec_dot('[4,4]', '[3,4]', T) FROM f",
     .result = "3.0",
     .flags = kPure,
     .call = call<after_transform<core::dot>>},
    {.name = "vec_distance_cosine",
     .signature = "vec_distance_cosine(a, b, T)",
     .minimum_arguments = 3,
     .maximum_arguments = 3,
     .chapter = Chapter::transform,
     .summary = "1 - vec_cosine(a, b, T).",
     .example = ISOVEC_CENTERED "SELECT vec_distance_cosine('[4,4]', '[4,4]', T) FROM f",
     .result = "0.0",
     .flags = kPure,
     .call = call<after_transform<core::distance_cosine>>},
    {.name = "vec_distance_l2",
     .signature = "vec_distance_l2(a, b, T)",
     .minimum_arguments = 3,
     .maximum_arguments = 3,
     .chapter = Chapter::transform,
     .summary =
         "Euclidean distance of vec_transform(a, T) and vec_transform(b, T), taken from W (a - b), so that "
         "it keeps "
         "its digits where a and b are close. After full whitening it is Mahalanobis' distance of a and b.",
     .example = ISOVEC_CENTERED "SELECT vec_distance_l2('[4,4]', '[1,0]', T) FROM f",
     .result = "5.0",
     .flags = kPure,
     .call = call<distance_l2>},
};

#undef ISOVEC_CENTERED

}  // namespace

std::span<const Function> transformed_distance_functions() noexcept {
  return kFunctions;
}

}  // namespace isovec::surface
