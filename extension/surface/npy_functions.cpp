#include "surface/npy_functions.hpp"

#include <cstring>
#include <string>

#include "codec/npy.hpp"
#include "core/work.hpp"
#include "db/aggregate.hpp"
#include "db/interrupt.hpp"
#include "surface/result.hpp"
#include "surface/table_function.hpp"
#include "surface/transform_argument.hpp"
#include "surface/vector_result.hpp"

namespace isovec::surface {

namespace {

// The BLOB belongs to the statement and may go before the last row is read, so it is kept.
class NpyRows : public Rows {
 public:
  explicit NpyRows(std::span<const std::byte> blob)
      : bytes_(blob.begin(), blob.end()), array_(codec::parse_npy(bytes_)) {
    if (array_.columns != 0 || array_.rows == 0) return;
    throw Error(Code::invalid_argument, "the .npy file has " + std::to_string(array_.rows) +
                                            " rows of no elements; a vector has at least one");
  }
  bool next() override { return ++index_ < static_cast<std::int64_t>(array_.rows); }
  void column(sqlite3_context* context, int) override {
    VectorResult row(codec::ElementType::float32, array_.columns);
    codec::read_npy_row(array_, static_cast<std::size_t>(index_), row.float32());
    std::move(row).set(context);
  }
  [[nodiscard]] std::int64_t rowid() const override { return index_; }

 private:
  Buffer<std::byte> bytes_;
  codec::NpyArray array_;
  std::int64_t index_ = -1;
};

constexpr TableFunction kNpy{
    .columns = "vector BLOB",
    .visible_columns = 1,
    .arguments = "npy HIDDEN",
    .minimum_arguments = 1,
    .maximum_arguments = 1,
    .open = [](sqlite3*, std::span<sqlite3_value* const> arguments) -> std::unique_ptr<Rows> {
      const db::Value value(arguments[0]);
      if (value.is_null()) {
        throw Error(Code::invalid_argument,
                    "expected the bytes of a .npy file, got NULL: is the path of readfile() right?");
      }
      if (!value.is_blob()) {
        throw Error(Code::invalid_argument,
                    std::string("expected the bytes of a .npy file, as readfile() gives them, got ") +
                        value.type_name());
      }
      return std::make_unique<NpyRows>(value.blob());
    },
};

struct ColumnState {
  std::size_t rows = 0;
  std::size_t columns = 0;
  Buffer<float> values;
};

void to_npy_step(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const FloatVector row(arguments[0]);
  const auto values = row.values();
  auto& state = db::aggregate_state<ColumnState>(context);
  if (state.rows > 0 && values.size() != state.columns) {
    throw Error(Code::invalid_argument, "dimensions differ: " + std::to_string(state.columns) + " and " +
                                            std::to_string(values.size()));
  }
  require_room(context, codec::npy_bytes(state.rows + 1, values.size(), sizeof(float)));
  state.values.insert(state.values.end(), values.begin(), values.end());
  state.columns = values.size();
  state.rows += 1;
}

void to_npy_final(sqlite3_context* context) {
  const auto state = db::take_aggregate_state<ColumnState>(context);
  if (state == nullptr || state->rows == 0) return;
  const std::size_t rows = state->rows, columns = state->columns;
  BlobResult result(context, codec::npy_bytes(rows, columns, sizeof(float)));
  const std::span<std::byte> data = codec::start_npy(result.bytes(), sizeof(float), rows, columns);
  const Checkpoint checkpoint = db::checkpoint_of(context);
  core::Work work(checkpoint);
  const std::size_t row_bytes = columns * sizeof(float);
  for (std::size_t r = 0; r < rows; ++r) {
    std::memcpy(data.data() + r * row_bytes, state->values.data() + r * columns, row_bytes);
    work.done(columns);
  }
  codec::to_little_endian(data, sizeof(float));
  std::move(result).set(context);
}

constexpr Function kFunctions[] = {
    {.name = "vec_npy",
     .signature = "vec_npy(npy)",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .chapter = Chapter::values,
     .summary = "A table of the rows of a NumPy .npy file: rowid from 0 as NumPy's row index, vector as "
                "float32. Takes the "
                "file's bytes: readfile('x.npy') in the sqlite3 shell, a bound BLOB elsewhere; float16, "
                "float32 or float64, "
                "one or two axes. An error names the element that is NaN, infinite or beyond float32.",
     .example = "WITH t(v) AS (VALUES ('[1,2]'), ('[3,4]')) "
                "SELECT rowid, vec_to_json(vector) FROM vec_npy((SELECT vec_to_npy(v) FROM t))",
     .result = "0|[1,2]\n1|[3,4]",
     .flags = 0,
     .module = &module_of<kNpy>},
    {.name = "vec_to_npy",
     .signature = "vec_to_npy(v)",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .chapter = Chapter::aggregate,
     .summary = "Aggregate: the rows as the bytes of a NumPy .npy file, float32. Write it with writefile() "
                "in the sqlite3 "
                "shell. Skips NULL; NULL on no rows.",
     .example = "WITH t(v) AS (VALUES ('[1,2]'), ('[3,4]')) SELECT length(vec_to_npy(v)) FROM t",
     .result = "144",
     .flags = kPure,
     .step = step<to_npy_step>,
     .final = finish<to_npy_final>},
};

}  // namespace

std::span<const Function> npy_functions() noexcept {
  return kFunctions;
}

}  // namespace isovec::surface
