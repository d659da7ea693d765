#include "storage/transform_store.hpp"

#include "storage/checksum.hpp"
#include "storage/schema.hpp"

namespace isovec::storage {
namespace {

constexpr std::uint64_t kSeed = 0x7472616e73;  // "trans"

std::uint64_t checksum_of(const TransformRecord& record, std::size_t column) noexcept {
  RecordChecksum sum(kSeed);
  sum.add(static_cast<std::int64_t>(column));
  sum.add(std::string_view(record.spec));
  sum.add(std::span<const std::byte>(record.transform));
  if (record.statistics) {
    sum.add(std::span<const std::byte>(*record.statistics));
  } else {
    sum.add_null();
  }
  sum.add(record.rows);
  return sum.value();
}

Buffer<std::byte> copied(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end()};
}

[[noreturn]] void refuse(const TableShape& shape, std::size_t column, const std::string& why) {
  throw Error(Code::corrupt, "the stored transform of column " + shape.vectors[column].name +
                                 " is damaged (" + why + "): run 'unfit', then 'fit'");
}

}  // namespace

std::optional<TransformRecord> read_transform(Statements& statements, std::size_t column,
                                              const State& state) {
  const db::Run run(statements[Sql::read_transform]);
  run->bind(1, static_cast<std::int64_t>(column));
  const bool there = run->step();
  if (there != state.is_fitted(column)) {
    throw Error(Code::corrupt, "the stored transform of vector column " + std::to_string(column) + " is " +
                                   (there ? "there although none was fitted" : "missing") +
                                   ": run 'unfit', then 'fit'");
  }
  if (!there) return std::nullopt;
  TransformRecord record;
  record.spec = run->text(0);
  record.transform = copied(run->blob(1));
  if (!run->is_null(2)) record.statistics = copied(run->blob(2));
  record.rows = run->integer(3);
  const bool typed =
      run->type(0) == SQLITE_TEXT && run->type(1) == SQLITE_BLOB && run->type(4) == SQLITE_INTEGER;
  if (!typed || static_cast<std::uint64_t>(run->integer(4)) != checksum_of(record, column)) {
    throw Error(Code::corrupt, "the stored transform of vector column " + std::to_string(column) +
                                   " is damaged: run 'unfit', then 'fit'");
  }
  return record;
}

void write_transform(Statements& statements, std::size_t column, const TransformRecord& record) {
  db::Statement& write = statements[Sql::write_transform];
  write.bind(1, static_cast<std::int64_t>(column)).bind(2, std::string_view(record.spec));
  write.bind(3, std::span<const std::byte>(record.transform));
  if (record.statistics) {
    write.bind(4, std::span<const std::byte>(*record.statistics));
  } else {
    write.bind_null(4);
  }
  write.bind(5, record.rows).bind(6, static_cast<std::int64_t>(checksum_of(record, column))).run();
}

void delete_transform(Statements& statements, std::size_t column) {
  statements[Sql::delete_transform].bind(1, static_cast<std::int64_t>(column)).run();
}

TransformCache::Known& TransformCache::known(Statements& statements, const TableShape& shape,
                                             std::size_t column, const State& state) {
  if (state.transforms != version_) known_.clear();
  version_ = state.transforms;
  known_.resize(shape.vectors.size());
  if (known_[column]) return *known_[column];
  Known made;
  if (const auto record = read_transform(statements, column, state)) {
    try {
      made.transform = std::make_shared<const Transform>(transform_from_blob(record->transform));
    } catch (const Error& error) {
      refuse(shape, column, error.what());
    }
    if (made.transform->input_dimensions() != shape.vectors[column].dimension) {
      refuse(shape, column, "it is for another dimension");
    }
  }
  return known_[column].emplace(std::move(made));
}

const index::RowCoder& TransformCache::coder(Statements& statements, const TableShape& shape,
                                             std::size_t column, const State& state) {
  Known& of_column = known(statements, shape, column, state);
  const VectorColumn& declared = shape.vectors[column];
  if (!of_column.coder)
    of_column.coder.emplace(declared.metric, declared.dimension, of_column.transform.get());
  return *of_column.coder;
}

}  // namespace isovec::storage
