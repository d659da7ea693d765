#include "surface/isotropy_functions.hpp"

#include <algorithm>
#include <isovec/transform.hpp>

#include "codec/isotropy_json.hpp"
#include "codec/statistics_blob.hpp"
#include "core/isotropy.hpp"
#include "db/aggregate.hpp"
#include "db/interrupt.hpp"
#include "surface/result.hpp"
#include "surface/table_function.hpp"
#include "surface/transform_argument.hpp"
#include "surface/vector_result.hpp"

namespace isovec::surface {

namespace {

struct IsotropyState {
  core::Isotropy isotropy;
  Checkpoint checkpoint;
};

void isotropy_step(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const FloatVector row(arguments[0]);
  const double weight = weight_argument(arguments, 1);
  auto& state = db::aggregate_state<IsotropyState>(context);
  if (!state.checkpoint) state.checkpoint = db::checkpoint_of(context);
  state.isotropy.add(row.values(), weight, row.rounding(), state.checkpoint);
}

void isotropy_final(sqlite3_context* context) {
  const auto state = db::take_aggregate_state<IsotropyState>(context);
  if (state != nullptr && state->isotropy.rows() > 0)
    set_json(context, codec::to_json(state->isotropy.report(state->checkpoint)));
}

Buffer<SpectrumLine> spectrum_of(sqlite3* connection, db::Value value) {
  if (value.is_blob() && codec::peek_statistics_hash(value.blob()))
    return spectrum(statistics_argument(value), db::checkpoint_of(connection));
  return spectrum(transform_value(value));
}

class SpectrumRows : public Rows {
 public:
  explicit SpectrumRows(Buffer<SpectrumLine> lines) : lines_(std::move(lines)) {}
  bool next() override { return ++index_ < static_cast<std::int64_t>(lines_.size()); }
  void column(sqlite3_context* context, int index) override {
    const SpectrumLine& line = lines_[static_cast<std::size_t>(index_)];
    switch (index) {
      case 0:
        return sqlite3_result_int64(context, index_ + 1);
      case 1:
        return sqlite3_result_double(context, line.eigenvalue);
      case 2:
        return sqlite3_result_double(context, line.share);
      default:
        return sqlite3_result_double(context, line.cumulative);
    }
  }
  [[nodiscard]] std::int64_t rowid() const override { return index_ + 1; }

 private:
  Buffer<SpectrumLine> lines_;
  std::int64_t index_ = -1;
};

class ComponentRows : public Rows {
 public:
  explicit ComponentRows(Buffer<Component> components) : components_(std::move(components)) {}
  bool next() override { return ++index_ < static_cast<std::int64_t>(components_.size()); }
  void column(sqlite3_context* context, int index) override {
    const Component& component = components_[static_cast<std::size_t>(index_)];
    switch (index) {
      case 0:
        return sqlite3_result_int64(context, index_ + 1);
      case 1:
        return sqlite3_result_double(context, component.eigenvalue);
      case 2:
        return sqlite3_result_double(context, component.scale);
      default:
        return set_direction(context, component.direction);
    }
  }
  [[nodiscard]] std::int64_t rowid() const override { return index_ + 1; }

 private:
  static void set_direction(sqlite3_context* context, const Buffer<double>& direction) {
    VectorResult result(codec::ElementType::float32, direction.size());
    std::transform(direction.begin(), direction.end(), result.float32().begin(),
                   [](double x) { return static_cast<float>(x); });
    std::move(result).set(context);
  }
  Buffer<Component> components_;
  std::int64_t index_ = -1;
};

constexpr TableFunction kSpectrum{
    .columns = "i INTEGER, eigenvalue REAL, share REAL, cumulative REAL",
    .visible_columns = 4,
    .arguments = "source HIDDEN",
    .minimum_arguments = 1,
    .maximum_arguments = 1,
    .open = [](sqlite3* connection, std::span<sqlite3_value* const> arguments) -> std::unique_ptr<Rows> {
      if (db::Value(arguments[0]).is_null()) return nullptr;
      return std::make_unique<SpectrumRows>(spectrum_of(connection, arguments[0]));
    },
};

constexpr TableFunction kComponents{
    .columns = "i INTEGER, eigenvalue REAL, scale REAL, component BLOB",
    .visible_columns = 4,
    .arguments = "T HIDDEN",
    .minimum_arguments = 1,
    .maximum_arguments = 1,
    .open = [](sqlite3* connection, std::span<sqlite3_value* const> arguments) -> std::unique_ptr<Rows> {
      if (db::Value(arguments[0]).is_null()) return nullptr;
      return std::make_unique<ComponentRows>(
          components(transform_value(arguments[0]), db::checkpoint_of(connection)));
    },
};

#define ISOVEC_SIX_ROWS \
  "WITH t(v) AS (VALUES ('[-1,-1]'), ('[-2,-1]'), ('[-3,-2]'), ('[1,1]'), ('[2,1]'), ('[3,2]')) "

constexpr Function kFunctions[] = {
    {.name = "vec_isotropy",
     .signature = "vec_isotropy(v [, weight])",
     .minimum_arguments = 1,
     .maximum_arguments = 2,
     .chapter = Chapter::transform,
     .summary = "Aggregate: a JSON report on how evenly the rows fill their space, exact over all pairs: "
                "rows, dimensions, "
                "norms, mean cosine and its spread, effective dimension, participation ratio, IsoScore, "
                "largest share, "
                "condition, rank, dead, rogue and duplicate rows, and a sentence for each finding. Takes "
                "O(d^2) memory.",
     .example = ISOVEC_SIX_ROWS "SELECT round(vec_isotropy(v) ->> 'mean_cosine', 3) FROM t",
     .result = "-0.2",
     .flags = kInnocuous | db::kResultSubtype,
     .step = step<isotropy_step>,
     .final = finish<isotropy_final>},
    {.name = "vec_spectrum",
     .signature = "vec_spectrum(T or stats)",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .chapter = Chapter::transform,
     .summary = "A table of the eigenvalues of the covariance, descending: i from 1, eigenvalue, share of "
                "their sum, "
                "cumulative share.",
     .example = ISOVEC_SIX_ROWS "SELECT i, round(share, 6) FROM vec_spectrum((SELECT vec_stats(v) FROM t))",
     .result = "1|0.992443\n2|0.007557",
     .flags = 0,
     .module = &module_of<kSpectrum>},
    {.name = "vec_components",
     .signature = "vec_components(T)",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .chapter = Chapter::transform,
     .summary =
         "A table of the directions that a transform scales or removes, by descending eigenvalue: i from 1, "
         "eigenvalue, scale (0 for a removed direction), component (a unit vector, its largest element "
         "positive).",
     .example = ISOVEC_SIX_ROWS
     "SELECT i, round(scale * scale * eigenvalue, 6) FROM vec_components((SELECT vec_fit(v, "
     "'whiten basis=pca') FROM t))",
     .result = "1|1.0\n2|1.0",
     .flags = 0,
     .module = &module_of<kComponents>},
};

#undef ISOVEC_SIX_ROWS

}  // namespace

std::span<const Function> isotropy_functions() noexcept {
  return kFunctions;
}

}  // namespace isovec::surface
