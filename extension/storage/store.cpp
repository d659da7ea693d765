#include "storage/store.hpp"

#include "storage/change.hpp"
#include "storage/schema.hpp"

namespace isovec::storage {

State Store::state() {
  db::Statement& read = statements_[Sql::read_state];
  const db::Run run(read);
  const bool there = read.step();
  // A statement that was prepared anew has seen the schema change: a trigger or another table may now stand
  // there.
  if (sqlite3_stmt_status(read.handle(), SQLITE_STMTSTATUS_REPREPARE, 1) > 0) verified_ = false;
  if (!verified_) {
    verify_tables(db_, shape_);
    verified_ = true;
  }
  if (!there || read.type(0) != SQLITE_BLOB) {
    throw Error(Code::corrupt, "the table's state record is missing: run 'rebuild' or restore a backup");
  }
  return decode_state(read.blob(0));
}

void Store::fail_unique(bool of_key) const {
  const bool named = shape_.key != Key::rowid;
  const std::string column = named ? shape_.key_name : "rowid";
  const int code = of_key || named ? SQLITE_CONSTRAINT_PRIMARYKEY : SQLITE_CONSTRAINT_ROWID;
  throw db::SqliteFailure(code, "UNIQUE constraint failed: " + shape_.name + "." + column);
}

std::int64_t Store::insert(const RowValues& row, OnConflict on_conflict) {
  const State before = state();
  std::optional<std::int64_t> taken;
  if (shape_.key == Key::text) taken = find_key(statements_, row.values[0]);
  if (!taken && row.id && find_row(statements_, verifier_, *row.id)) taken = row.id;
  if (taken && on_conflict == OnConflict::fail) fail_unique(shape_.key == Key::text);

  Change change(*this);
  RowValues chosen = row;
  if (taken) {
    chosen.id = taken;
    change.update(*taken, chosen);  // every value is given: the old row keeps nothing but its slot
  } else {
    if (!chosen.id) chosen.id = free_id(statements_, before.history);
    change.insert(chosen);
  }
  change.write();
  return *chosen.id;
}

void Store::update(std::int64_t id, const RowValues& row, OnConflict on_conflict) {
  static_cast<void>(state());
  std::vector<std::int64_t> taken;
  if (row.id && *row.id != id && find_row(statements_, verifier_, *row.id)) taken.push_back(*row.id);
  if (!taken.empty() && on_conflict == OnConflict::fail) fail_unique(false);
  if (shape_.key == Key::text && row.values[0] != nullptr) {
    const auto owner = find_key(statements_, row.values[0]);
    if (owner && *owner != id) {
      if (on_conflict == OnConflict::fail) fail_unique(true);
      if (taken.empty()) taken.push_back(*owner);
      if (taken.front() != *owner) {
        throw Error(Code::constraint,
                    "the new rowid and the new key belong to two other rows: delete them first");
      }
    }
  }
  Change change(*this);
  for (const std::int64_t other : taken) change.erase(other);
  change.update(id, row);
  change.write();
}

void Store::erase(std::int64_t id) {
  Change change(*this);
  change.erase(id);
  change.write();
}

void Store::rename(const std::string& new_name) {
  statements_.clear();
  rename_tables(db_, shape_, new_name);
  shape_.name = new_name;
  verified_ = false;
}

}  // namespace isovec::storage
