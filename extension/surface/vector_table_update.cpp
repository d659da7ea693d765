#include "surface/vector_table_update.hpp"

#include <list>

#include "db/owned_value.hpp"
#include "db/value.hpp"
#include "surface/column_vector.hpp"
#include "surface/vector_table_columns.hpp"
#include "surface/vector_table_commands.hpp"
#include "surface/vector_table_cursor.hpp"

namespace isovec::surface {
namespace {

using storage::ColumnKind;
using storage::TableShape;

constexpr std::size_t kFirstColumn = 2;  // before the columns come the old and the new rowid

// Writes to shadow tables move last_insert_rowid(); only an INSERT into the table itself may.
class KeepLastRowid {
 public:
  explicit KeepLastRowid(sqlite3* db) noexcept : db_(db), rowid_(sqlite3_last_insert_rowid(db)) {}
  ~KeepLastRowid() { sqlite3_set_last_insert_rowid(db_, rowid_); }
  KeepLastRowid(const KeepLastRowid&) = delete;
  KeepLastRowid& operator=(const KeepLastRowid&) = delete;
  void set(std::int64_t rowid) noexcept { rowid_ = rowid; }
  [[nodiscard]] std::int64_t rowid() const noexcept { return rowid_; }

 private:
  sqlite3* db_;
  std::int64_t rowid_;
};

// A trigger on a shadow table could start a change within a change.
class Writing {
 public:
  explicit Writing(VectorTable& table) : table_(table) {
    if (table.writing) throw Error(Code::invalid_argument, "a change of this table began inside another one");
    table.writing = true;
  }
  ~Writing() { table_.writing = false; }
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;

 private:
  VectorTable& table_;
};

[[noreturn]] void fail_not_null(const TableShape& shape, const std::string& column) {
  throw db::SqliteFailure(SQLITE_CONSTRAINT_NOTNULL,
                          "NOT NULL constraint failed: " + shape.name + "." + column);
}

std::int64_t integer_id(db::Value value) {
  sqlite3_value_numeric_type(value.handle());
  const auto id = value.integral();
  if (!id) throw Error(Code::mismatch, std::string("the rowid must be an INTEGER, got ") + value.type_name());
  return *id;
}

// The columns of an INSERT or UPDATE as a row for the store. Keeps the vectors that were decoded.
class RowRequest {
 public:
  RowRequest(storage::Store& store, std::span<sqlite3_value*> arguments, bool updates)
      : store_(store), shape_(store.shape()), arguments_(arguments), updates_(updates) {
    const TableShape& shape = shape_;
    row_.values.resize(storage::row_columns(shape).size());
    row_.auxiliary.resize(shape.auxiliary.size());
    row_.vectors.resize(shape.vectors.size());
    refuse_hidden();
    for (int i = 0; i < declared_columns(shape); ++i)
      take(shape.columns[static_cast<std::size_t>(i)], column(i));
    take_id();
  }
  [[nodiscard]] const storage::RowValues& row() const noexcept { return row_; }

 private:
  [[nodiscard]] db::Value column(int number) const {
    return arguments_[kFirstColumn + static_cast<std::size_t>(number)];
  }
  [[nodiscard]] bool keeps(db::Value value) const noexcept {
    return updates_ && sqlite3_value_nochange(value.handle()) != 0;
  }
  void refuse_hidden() const;
  void take(const storage::ColumnRole& role, db::Value value);
  void take_key(db::Value value);
  /// The value to store; null keeps what is there. `place` counts partitions, metadata and auxiliary columns.
  [[nodiscard]] sqlite3_value* checked(db::Value value, const storage::ValueColumn& column,
                                       std::size_t place);
  [[nodiscard]] sqlite3_value* default_of(std::size_t place);
  void take_vector(std::size_t index, db::Value value);
  void take_id();

  storage::Store& store_;
  const TableShape& shape_;
  std::span<sqlite3_value*> arguments_;
  bool updates_;
  storage::RowValues row_;
  std::optional<std::int64_t> key_;  // of an integer key column that was given
  std::list<ColumnVector> vectors_;
  std::list<db::OwnedValue> defaults_;  // those that stand in for NULL
};

void RowRequest::refuse_hidden() const {
  constexpr const char* kNames[kHiddenColumns] = {"distance",  "similarity", "k",
                                                  "transform", "query_mean", "command"};
  for (int i = 0; i < kHiddenColumns; ++i) {
    const db::Value value = column(declared_columns(shape_) + i);
    if (keeps(value) || value.is_null()) continue;
    throw Error(Code::invalid_argument,
                std::string("the hidden column ") + kNames[i] + " of a row cannot be set");
  }
}

void RowRequest::take(const storage::ColumnRole& role, db::Value value) {
  const std::size_t keys = shape_.key == storage::Key::text ? 1 : 0;
  const std::size_t metadata = shape_.partitions.size() + role.index;
  const std::size_t auxiliary = shape_.partitions.size() + shape_.metadata.size() + role.index;
  switch (role.kind) {
    case ColumnKind::key:
      return take_key(value);
    case ColumnKind::vector:
      return take_vector(role.index, value);
    case ColumnKind::partition:
      row_.values[keys + role.index] = checked(value, shape_.partitions[role.index], role.index);
      return;
    case ColumnKind::metadata:
      row_.values[keys + metadata] = checked(value, shape_.metadata[role.index], metadata);
      return;
    case ColumnKind::auxiliary:
      row_.auxiliary[role.index] = checked(value, shape_.auxiliary[role.index], auxiliary);
      return;
  }
}

sqlite3_value* RowRequest::checked(db::Value value, const storage::ValueColumn& column, std::size_t place) {
  if (keeps(value)) return nullptr;
  if (!value.is_null()) return value.handle();
  sqlite3_value* given = value.handle();
  if (!updates_ && !column.default_value.empty()) given = default_of(place);
  if (column.not_null && db::Value(given).is_null()) fail_not_null(shape_, column.name);
  return given;
}

sqlite3_value* RowRequest::default_of(std::size_t place) {
  const db::Run run(store_.statements()[storage::Sql::defaults]);
  if (!run->step()) throw Error(Code::corrupt, "the defaults of the table cannot be read");
  return defaults_.emplace_back(run->value(static_cast<int>(place))).handle();
}

void RowRequest::take_key(db::Value value) {
  if (keeps(value)) return;
  if (shape_.key == storage::Key::text) {
    if (value.is_null()) fail_not_null(shape_, shape_.key_name);
    if (value.is_blob())
      throw Error(Code::mismatch, "the key " + shape_.key_name + " must be TEXT, got BLOB");
    row_.values[0] = value.handle();
  } else if (!value.is_null() || updates_) {
    key_ = integer_id(value);
  }
}

void RowRequest::take_vector(std::size_t index, db::Value value) {
  if (keeps(value)) return;
  const storage::VectorColumn& declared = shape_.vectors[index];
  if (value.is_null()) {
    if (declared.not_null) fail_not_null(shape_, declared.name);
    row_.vectors[index].emplace();
    return;
  }
  row_.vectors[index] = vectors_.emplace_back(value, declared).bytes();
}

void RowRequest::take_id() {
  const db::Value rowid(arguments_[1]);
  if (updates_) {
    const std::int64_t old = db::Value(arguments_[0]).integer();
    const std::int64_t by_rowid = integer_id(rowid);
    if (by_rowid != old) row_.id = by_rowid;
    if (!key_ || *key_ == old) return;
    if (row_.id && *row_.id != *key_)
      throw Error(Code::invalid_argument, "rowid and " + shape_.key_name + " are set to different values");
    row_.id = key_;
    return;
  }
  if (!rowid.is_null()) row_.id = integer_id(rowid);
  if (row_.id && shape_.key == storage::Key::text) {
    throw Error(Code::invalid_argument,
                "the table chooses the rowid itself, since its key is the text " + shape_.key_name);
  }
  if (!key_) return;
  if (row_.id && *row_.id != *key_)
    throw Error(Code::invalid_argument, "rowid and " + shape_.key_name + " are set to different values");
  row_.id = key_;
}

// An INSERT whose column named as the table is not NULL is a command.
std::optional<std::string> command_of(const TableShape& shape, std::span<sqlite3_value*> arguments) {
  const auto number = static_cast<std::size_t>(number_of(shape, HiddenColumn::command));
  const db::Value value(arguments[kFirstColumn + number]);
  if (value.is_null()) return std::nullopt;
  if (!value.is_text())
    throw Error(Code::invalid_argument, std::string("a command is a text, got ") + value.type_name());
  for (std::size_t i = 0; i + kFirstColumn < arguments.size(); ++i) {
    const bool of_command = i == number || static_cast<int>(i) == number_of(shape, HiddenColumn::transform);
    if (!of_command && !db::Value(arguments[kFirstColumn + i]).is_null()) {
      throw Error(Code::invalid_argument,
                  "a command stands alone in its INSERT (with the column transform where it takes one)");
    }
  }
  return std::string(value.text());
}

}  // namespace

std::int64_t update_table(VectorTable& table, std::span<sqlite3_value*> arguments) {
  storage::Store& store = table.store;
  const TableShape& shape = store.shape();
  KeepLastRowid last(store.connection());
  const Writing writing(table);
  for (VectorCursor* cursor : table.cursors) cursor->settle();
  if (arguments.size() == 1) {
    store.erase(db::Value(arguments[0]).integer());
    return last.rowid();
  }
  const auto on_conflict = sqlite3_vtab_on_conflict(store.connection()) == SQLITE_REPLACE
                               ? storage::OnConflict::replace
                               : storage::OnConflict::fail;
  if (!db::Value(arguments[0]).is_null()) {
    const RowRequest request(store, arguments, true);
    store.update(db::Value(arguments[0]).integer(), request.row(), on_conflict);
    return last.rowid();
  }
  if (const auto command = command_of(shape, arguments)) {
    const auto transform = static_cast<std::size_t>(number_of(shape, HiddenColumn::transform));
    run_command(table, *command, db::Value(arguments[kFirstColumn + transform]));
    return last.rowid();
  }
  const RowRequest request(store, arguments, false);
  last.set(store.insert(request.row(), on_conflict));
  return last.rowid();
}

}  // namespace isovec::surface
