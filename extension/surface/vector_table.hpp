#pragma once
// CREATE VIRTUAL TABLE ... USING isovec(...): the module that SQLite knows.

#include <isovec/buffer.hpp>
#include <string>

#include "storage/store.hpp"

namespace isovec::surface {

/// Registers the module isovec on `db`. Throws what SQLite says.
void register_vector_table(sqlite3* db);

class VectorCursor;

/// One table of one connection.
struct VectorTable : sqlite3_vtab {
  VectorTable(sqlite3* db, storage::TableShape shape, std::shared_ptr<storage::CacheBudget> budget)
      : sqlite3_vtab{}, prefix(shape.name + ": "), store(db, std::move(shape), std::move(budget)) {}
  /// SQLite does not take the message of a destroy that failed, and keeps the table.
  ~VectorTable() { sqlite3_free(zErrMsg); }
  VectorTable(const VectorTable&) = delete;
  VectorTable& operator=(const VectorTable&) = delete;
  std::string prefix;  ///< Of its error messages.
  storage::Store store;
  Buffer<VectorCursor*> cursors;  ///< Those that are open.
  /// A change is under way: another one can only come from a trigger on a shadow table.
  bool writing = false;
};

}  // namespace isovec::surface
