#include "surface/table_function.hpp"

#include <string>

namespace isovec::surface::table_function {

namespace {

struct Table : sqlite3_vtab {
  Table(sqlite3* connection, const Function& row, const TableFunction& what) noexcept
      : sqlite3_vtab{},
        db(connection),
        function(row),
        description(what),
        prefix(std::string(row.name) + ": ") {}
  sqlite3* db;
  const Function& function;
  const TableFunction& description;
  std::string prefix;
};

struct Cursor : sqlite3_vtab_cursor {
  Cursor() noexcept : sqlite3_vtab_cursor{} {}
  std::unique_ptr<Rows> rows;
  bool at_end = true;
};

Table& table_of(sqlite3_vtab* table) noexcept {
  return *static_cast<Table*>(table);
}
Cursor& cursor_of(sqlite3_vtab_cursor* cursor) noexcept {
  return *static_cast<Cursor*>(cursor);
}

template <typename Body>
int guarded(Table& table, Body&& body) noexcept {
  return db::guard(&table.zErrMsg, table.prefix.c_str(), std::forward<Body>(body));
}

std::string declaration(const TableFunction& description) {
  std::string text = "CREATE TABLE x(" + std::string(description.columns);
  if (description.maximum_arguments > 0) text += ", " + std::string(description.arguments);
  return text + ")";
}

}  // namespace

int connect(sqlite3* db, const Function& function, const TableFunction& description, sqlite3_vtab** table,
            char** error_message) noexcept {
  return db::guard(error_message, "", [&] {
    db::check(db, sqlite3_declare_vtab(db, declaration(description).c_str()));
    if (description.innocuous) sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
    *table = std::make_unique<Table>(db, function, description).release();
    return SQLITE_OK;
  });
}

int disconnect(sqlite3_vtab* table) noexcept {
  delete &table_of(table);
  return SQLITE_OK;
}

// idxNum is the number of arguments given; they arrive in their order. An argument that is there but cannot
// be used in this plan refuses the plan, so that SQLite tries another order of the join.
int best_index(sqlite3_vtab* table, sqlite3_index_info* info) noexcept {
  const TableFunction& description = table_of(table).description;
  return guarded(table_of(table), [&] {
    Buffer<int> constraint_of(static_cast<std::size_t>(description.maximum_arguments), -1);
    for (int i = 0; i < info->nConstraint; ++i) {
      const auto& constraint = info->aConstraint[i];
      const int argument = constraint.iColumn - description.visible_columns;
      if (argument < 0 || constraint.op != SQLITE_INDEX_CONSTRAINT_EQ) continue;
      if (!constraint.usable) return SQLITE_CONSTRAINT;
      constraint_of[static_cast<std::size_t>(argument)] = i;
    }
    int given = 0;
    for (const int i : constraint_of) {
      if (i < 0) break;
      info->aConstraintUsage[i].argvIndex = ++given;
      info->aConstraintUsage[i].omit = 1;
    }
    if (given < description.minimum_arguments) {
      throw Error(Code::invalid_argument,
                  "call it with its arguments: " + std::string(table_of(table).function.signature));
    }
    info->idxNum = given;
    info->estimatedCost = 100;
    info->estimatedRows = 100;
    return SQLITE_OK;
  });
}

int open(sqlite3_vtab* table, sqlite3_vtab_cursor** cursor) noexcept {
  return guarded(table_of(table), [&] {
    *cursor = std::make_unique<Cursor>().release();
    return SQLITE_OK;
  });
}

int close(sqlite3_vtab_cursor* cursor) noexcept {
  delete &cursor_of(cursor);
  return SQLITE_OK;
}

int filter(sqlite3_vtab_cursor* base, int, const char*, int count, sqlite3_value** values) noexcept {
  Cursor& cursor = cursor_of(base);
  Table& table = table_of(base->pVtab);
  return guarded(table, [&] {
    cursor.rows.reset();
    cursor.rows = table.description.open(table.db, {values, static_cast<std::size_t>(count)});
    cursor.at_end = cursor.rows == nullptr || !cursor.rows->next();
    return SQLITE_OK;
  });
}

int next(sqlite3_vtab_cursor* base) noexcept {
  Cursor& cursor = cursor_of(base);
  return guarded(table_of(base->pVtab), [&] {
    cursor.at_end = !cursor.rows->next();
    return SQLITE_OK;
  });
}

int eof(sqlite3_vtab_cursor* cursor) noexcept {
  return cursor_of(cursor).at_end ? 1 : 0;
}

int column(sqlite3_vtab_cursor* base, sqlite3_context* context, int index) noexcept {
  Table& table = table_of(base->pVtab);
  return guarded(table, [&] {
    if (index < table.description.visible_columns) cursor_of(base).rows->column(context, index);
    return SQLITE_OK;
  });
}

int rowid(sqlite3_vtab_cursor* base, sqlite3_int64* rowid) noexcept {
  *rowid = cursor_of(base).rows->rowid();
  return SQLITE_OK;
}

}  // namespace isovec::surface::table_function
