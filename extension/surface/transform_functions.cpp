#include "surface/transform_functions.hpp"

#include <isovec/transform.hpp>
#include <string>

#include "codec/npy.hpp"
#include "db/interrupt.hpp"
#include "surface/matrix_argument.hpp"
#include "surface/result.hpp"
#include "surface/transform_argument.hpp"
#include "surface/vector_result.hpp"

namespace isovec::surface {

namespace {

void transform(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const auto map = transform_argument(context, arguments, 1);
  const FloatVector x(arguments[0]);
  require_input_of(*map, x.values());
  VectorResult z(codec::ElementType::float32, map->output_dimensions());
  map->apply(x.values(), z.float32());
  std::move(z).set(context);
}

void inverse_transform(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const auto map = transform_argument(context, arguments, 1);
  const FloatVector z(arguments[0]);
  if (z.values().size() != map->output_dimensions()) {
    throw Error(Code::invalid_argument, "dimensions differ: the transform gives " +
                                            std::to_string(map->output_dimensions()) +
                                            " and the vector has " + std::to_string(z.values().size()));
  }
  VectorResult x(codec::ElementType::float32, map->input_dimensions());
  map->inverse(z.values(), x.float32(), db::checkpoint_of(context));
  std::move(x).set(context);
}

void info(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  set_json(context, to_json(*transform_argument(context, arguments, 0)));
}

void drift_report(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const auto map = transform_argument(context, arguments, 0);
  set_json(context, to_json(drift(*map, statistics_argument(arguments[1]), db::checkpoint_of(context))));
}

void recentered(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const auto map = transform_argument(context, arguments, 0);
  set_transform(context, recenter(*map, matrix_argument(context, arguments[1]).values));
}

// A flat W has as many columns as the mean has numbers; without a mean it must come with its shape.
std::size_t columns_of(const Matrix& mean, const Matrix& matrix) {
  const bool flat = matrix.rows == 1 && !mean.values.empty();
  return flat ? mean.values.size() : matrix.columns;
}

void make(sqlite3_context* context, const Arguments& arguments) {
  if (arguments[1].is_null() || (arguments.has(2) && arguments[2].is_null())) return;
  const Matrix mean = arguments[0].is_null() ? Matrix{} : matrix_argument(context, arguments[0]);
  const Matrix matrix = matrix_argument(context, arguments[1]);
  const std::string_view options =
      arguments.has(2) ? text_argument(arguments[2], "options") : std::string_view();
  set_transform(context, make_transform(mean.values, matrix.values, columns_of(mean, matrix), options,
                                        db::checkpoint_of(context)));
}

void mean(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const auto map = transform_argument(context, arguments, 0);
  require_room(context, map->input_dimensions() * sizeof(double));
  set_blob(context, codec::write_npy_vector(map->mean()));
}

void matrix(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const auto map = transform_argument(context, arguments, 0);
  const std::size_t rows = map->output_dimensions(), columns = map->input_dimensions();
  BlobResult result(context, codec::npy_bytes(rows, columns, sizeof(double)));
  const std::span<std::byte> data = codec::start_npy(result.bytes(), sizeof(double), rows, columns);
  map->matrix(reinterpret_cast<double*>(data.data()), db::checkpoint_of(context));
  codec::to_little_endian(data, sizeof(double));
  std::move(result).set(context);
}

void composed(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const auto outer = transform_argument(context, arguments, 0);
  const auto inner = transform_argument(context, arguments, 1);
  require_room(context, composed_numbers(*outer, *inner) * sizeof(double));
  set_transform(context, compose(*outer, *inner, db::checkpoint_of(context)));
}

#define ISOVEC_FITTED(spec)                                            \
  "WITH t(v) AS (VALUES ('[1,2]'), ('[3,1]'), ('[0,5]'), ('[4,4]')), " \
  "f(T) AS (SELECT vec_fit(v, '" spec "') FROM t) "

constexpr Function kFunctions[] = {
    {.name = "vec_transform",
     .signature = "vec_transform(v, T)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::transform,
     .summary = "z = W (v - mean) as float32, k elements for v of d. Bind T as a parameter where rows are "
                "many; else pass it as a "
                "scalar subquery, (SELECT T FROM ...), whose value SQLite copies for every row, or as a "
                "joined column, which "
                "it reads anew for every row. With a full W of 768 dimensions, 2.4 MB, a row took 28, 80 and "
                "530 microseconds.",
     .example = ISOVEC_FITTED("center") "SELECT vec_to_json(vec_transform('[4,4]', (SELECT T FROM f)))",
     .result = "[2,1]",
     .flags = kPureVector,
     .call = call<transform>},
    {.name = "vec_inverse_transform",
     .signature = "vec_inverse_transform(z, T)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::transform,
     .summary = "The x that T maps to z, as float32. An error that says why where T loses information.",
     .example =
         ISOVEC_FITTED("center") "SELECT vec_to_json(vec_inverse_transform('[2,1]', (SELECT T FROM f)))",
     .result = "[4,4]",
     .flags = kInnocuous | db::kResultSubtype,
     .call = call<inverse_transform>},
    {.name = "vec_transform_info",
     .signature = "vec_transform_info(T)",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .chapter = Chapter::transform,
     .summary = "A JSON object about a transform: spec, dimensions, rows, effective rows per kept direction, "
                "rank, what "
                "was dropped, shrinkage and ridge used, condition, explained share, warnings, hash.",
     .example = ISOVEC_FITTED("whiten eps=1") "SELECT vec_transform_info(T) ->> 'spec' FROM f",
     .result = "whiten eps=1",
     .flags = kPure | db::kResultSubtype,
     .call = call<info>},
    {.name = "vec_drift",
     .signature = "vec_drift(T, stats)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::transform,
     .summary =
         "A JSON object that says how far rows have moved from those T was fitted to: shift of the mean in "
         "fitted "
         "standard deviations, participation ratio and condition of the transformed covariance, findings.",
     .example = ISOVEC_FITTED("whiten") "SELECT vec_drift(T, (SELECT vec_stats(v) FROM t)) ->> 'n' FROM f",
     .result = "4",
     .flags = kInnocuous | db::kResultSubtype,
     .call = call<drift_report>},
    {.name = "vec_recenter",
     .signature = "vec_recenter(T, mean)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::transform,
     .summary = "The same linear map around another mean: for queries whose mean differs from that of the "
                "documents. An "
                "error where T subtracts no mean.",
     .example = ISOVEC_FITTED(
         "center") "SELECT vec_to_json(vec_transform('[4,4]', vec_recenter(T, '[1,1]'))) FROM f",
     .result = "[3,3]",
     .flags = kPure,
     .call = call<recentered>},
    {.name = "vec_transform_make",
     .signature = "vec_transform_make(mean, W [, options])",
     .minimum_arguments = 2,
     .maximum_arguments = 3,
     .chapter = Chapter::transform,
     .summary = "A transform from outside, z = W (x - mean), as NumPy, scikit-learn or faiss give it: mean "
                "of d numbers or "
                "NULL for none, W of k x d numbers, row by row; vectors, JSON (also an array of arrays, read "
                "as float32) "
                "or .npy BLOBs. options: normalize=none|before|after|both.",
     .example =
         "SELECT vec_to_json(vec_transform('[3,4]', vec_transform_make('[1,1]', '[[0,1],[1,0],[1,1]]')))",
     .result = "[3,2,5]",
     .flags = kPure,
     .call = call<make>},
    {.name = "vec_transform_mean",
     .signature = "vec_transform_mean(T)",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .chapter = Chapter::transform,
     .summary = "The mean that T subtracts, d float64 numbers as a .npy BLOB.",
     .example = ISOVEC_FITTED("center") "SELECT length(vec_transform_mean(T)) FROM f",
     .result = "144",
     .flags = kPure,
     .call = call<mean>},
    {.name = "vec_transform_matrix",
     .signature = "vec_transform_matrix(T)",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .chapter = Chapter::transform,
     .summary = "W, k x d float64 numbers as a .npy BLOB: z = (x - mean) @ W.T in NumPy.",
     .example = ISOVEC_FITTED("whiten") "SELECT length(vec_transform_matrix(T)) FROM f",
     .result = "160",
     .flags = kPure,
     .call = call<matrix>},
    {.name = "vec_transform_compose",
     .signature = "vec_transform_compose(T2, T1)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::transform,
     .summary = "T2 after T1 as one transform; diagonal ones stay diagonal. An error where their dimensions "
                "do not meet or one normalizes "
                "between them.",
     .example = "SELECT vec_to_json(vec_transform('[3,4]', vec_transform_compose("
                "vec_transform_make(NULL, '[[2,0],[0,2]]'), vec_transform_make('[1,1]', '[[0,1],[1,0]]'))))",
     .result = "[6,4]",
     .flags = kInnocuous,  // products may fuse multiply-adds
     .call = call<composed>},
};

#undef ISOVEC_FITTED

}  // namespace

std::span<const Function> transform_functions() noexcept {
  return kFunctions;
}

}  // namespace isovec::surface
