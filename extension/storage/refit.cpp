#include "storage/refit.hpp"

#include <algorithm>

#include "codec/vector_convert.hpp"
#include "db/interrupt.hpp"
#include "storage/checksum.hpp"
#include "storage/recode.hpp"
#include "storage/row_scan.hpp"
#include "storage/schema.hpp"

namespace isovec::storage {
namespace {

enum class Operation : std::int64_t { transform = 4, unfit = 5 };

double rounding_of(codec::ElementType type) {
  switch (type) {
    case codec::ElementType::float32:
      return kFloat32Rounding;
    case codec::ElementType::float16:
      return kFloat16Rounding;
    case codec::ElementType::bfloat16:
      return kBfloat16Rounding;
    case codec::ElementType::int8:
    case codec::ElementType::bit:
      break;  // integers are what they say
  }
  return 0;
}

// Calls visit(rowid, vector as float32) for each row that has a vector in a column; returns their number. A
// visit takes so many multiplications.
template <typename Visit>
std::int64_t for_each_row(Store& store, const State& state, std::size_t column, Visit&& visit,
                          std::size_t multiplications = 0) {
  const VectorColumn& declared = store.shape().vectors[column];
  Buffer<float> vector(declared.dimension);
  std::int64_t count = 0;
  AllRows rows(store, column, state, WithNorms::no);
  rows.expect_work(multiplications);
  while (const auto batch = rows.next()) {
    for (std::size_t r = 0; r < batch->rowids.size(); ++r) {
      codec::to_float32({declared.type, declared.dimension, batch->vectors + r * batch->stride}, vector);
      visit(batch->rowids[r], std::span<const float>(vector));
    }
    count += static_cast<std::int64_t>(batch->rowids.size());
  }
  return count;
}

State changed(const State& state, Operation operation, std::size_t column, std::span<const std::byte> bytes) {
  RecordChecksum history(state.history);
  history.add(static_cast<std::int64_t>(operation));
  history.add(static_cast<std::int64_t>(column));
  history.add(bytes);
  State next = state;
  next.history = next.transforms = history.value();
  const std::uint64_t bit = std::uint64_t{1} << column;
  next.fitted = operation == Operation::unfit ? next.fitted & ~bit : next.fitted | bit;
  return next;
}

}  // namespace

Buffer<double> norms_of(Store& store, const State& state, std::size_t column, const Transform& transform) {
  Buffer<double> norms(static_cast<std::size_t>(state.slots));
  const VectorColumn& declared = store.shape().vectors[column];
  Buffer<float> floats;
  AllRows rows(store, column, state, WithNorms::no);
  rows.expect_work(multiplications_of(transform));
  while (const auto batch = rows.next()) {
    const std::size_t count = batch->rowids.size();
    floats.resize(count * declared.dimension);
    for (std::size_t r = 0; r < count; ++r) {
      codec::to_float32({declared.type, declared.dimension, batch->vectors + r * batch->stride},
                        std::span(floats).subspan(r * declared.dimension, declared.dimension));
    }
    transform.row_norms(floats.data(), declared.dimension,
                        std::span(norms).subspan(static_cast<std::size_t>(rows.first_slot()), count));
  }
  return norms;
}

Refit fit_column(Store& store, const State& state, std::size_t column, const Spec& spec) {
  const VectorColumn& declared = store.shape().vectors[column];
  require_transformable(declared);
  const double rounding = rounding_of(declared.type);
  const StatisticsOptions options = required_statistics(spec);
  Statistics statistics(options);
  const std::size_t work =
      options.moments == Moments::second ? declared.dimension * declared.dimension / 2 : 0;
  const std::int64_t rows = for_each_row(
      store, state, column,
      [&](std::int64_t, std::span<const float> vector) { statistics.add(vector, 1.0, rounding); }, work);
  const Transform transform = fit(statistics, spec, db::checkpoint_of(store.connection()));
  Refit refit;
  refit.column = column;
  refit.record = {transform.parts().spec, to_blob(transform), to_blob(statistics), rows};
  return refit;
}

Refit given_transform(Store& store, const State& state, std::size_t column, std::span<const std::byte> blob) {
  const VectorColumn& declared = store.shape().vectors[column];
  require_transformable(declared);
  const Transform transform = transform_from_blob(blob);
  if (transform.input_dimensions() != declared.dimension) {
    throw Error(Code::invalid_argument,
                "the transform maps vectors of " + std::to_string(transform.input_dimensions()) +
                    " dimensions and column " + declared.name + " has " + std::to_string(declared.dimension));
  }
  Refit refit;
  refit.column = column;
  // Damage ends it here.
  const std::int64_t rows = for_each_row(store, state, column, [](std::int64_t, std::span<const float>) {});
  refit.record = {transform.parts().spec, {blob.begin(), blob.end()}, std::nullopt, rows};
  return refit;
}

void write_refits(Store& store, const State& state, const Buffer<Refit>& refits) {
  Statements& statements = store.statements();
  statements.prepare_writes();
  State next = state;
  for (const Refit& refit : refits)
    next = changed(next, Operation::transform, refit.column, refit.record.transform);
  db::finish_writes([&] {
    for (const Refit& refit : refits) write_transform(statements, refit.column, refit.record);
    write_state(store.statements(), next);
    for (const Refit& refit : refits) recode(store, next, refit.column);
  });
}

void unfit_columns(Store& store, const State& state, const Buffer<std::size_t>& columns) {
  Statements& statements = store.statements();
  statements.prepare_writes();
  for (const std::size_t column : columns)
    static_cast<void>(for_each_row(store, state, column, [](std::int64_t, std::span<const float>) {}));
  State next = state;
  for (const std::size_t column : columns) next = changed(next, Operation::unfit, column, {});
  db::finish_writes([&] {
    for (const std::size_t column : columns) delete_transform(statements, column);
    write_state(store.statements(), next);
    for (const std::size_t column : columns) {
      if (state.is_fitted(column)) recode(store, next, column);
    }
  });
}

}  // namespace isovec::storage
