#include "storage/store.hpp"

#include "storage/change.hpp"
#include "storage/schema.hpp"

namespace isovec::storage {
namespace {

// True for as long as it lives.
class Raised {
 public:
  explicit Raised(bool& flag) noexcept : flag_(flag) { flag_ = true; }
  ~Raised() { flag_ = false; }
  Raised(const Raised&) = delete;
  Raised& operator=(const Raised&) = delete;

 private:
  bool& flag_;
};

}  // namespace

void Store::verify_once() {
  if (verified_) return;
  verify_tables(db_, shape_);
  verified_ = true;
}

State Store::read_state() {
  verify_once();
  db::Statement& read = statements_[Sql::read_state];
  const db::Run run(read);
  bool there = false;
  try {
    there = read.step();
  } catch (const db::SqliteFailure& failure) {
    // Where it is the shadow table that is missing or another one, that is said.
    if ((failure.result_code() & 0xFF) == SQLITE_ERROR) verify_tables(db_, shape_);
    throw;
  }
  // A statement that was prepared anew has seen the schema change: a trigger or another table may now stand
  // there.
  if (sqlite3_stmt_status(read.handle(), SQLITE_STMTSTATUS_REPREPARE, 1) > 0) verified_ = false;
  verify_once();
  if (!there || read.type(0) != SQLITE_BLOB) {
    throw Error(Code::corrupt, "the table's state record is missing: run 'rebuild' or restore a backup");
  }
  const State state = decode_state(read.blob(0));
  if (state.fitted >> shape_.vectors.size() != 0) {
    throw Error(Code::corrupt, "the table's state record tells of transforms of more columns than there are");
  }
  if (state.nulls > state.rows * static_cast<std::int64_t>(shape_.vectors.size())) {
    throw Error(Code::corrupt, "the table's state record counts more NULL vectors than there are vectors");
  }
  if (!has_room_for(state.slots)) {
    throw Error(Code::corrupt,
                "the table's state record counts " + std::to_string(state.slots) +
                    " slots, and the database is too small for so many: run 'rebuild' or restore "
                    "a backup");
  }
  return state;
}

State Store::state() {
  if (reads_state_) {  // a view stands in the place of the table and reads this one
    throw Error(Code::corrupt, shadow_name(shape_, "config") + " reads the table that it belongs to");
  }
  const Raised reading(reads_state_);
  try {
    return read_state();
  } catch (...) {
    // A statement of such a view would keep this table open for ever.
    statements_.forget(Sql::read_state);
    verified_ = false;
    throw;
  }
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
  Buffer<std::int64_t> taken;
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
