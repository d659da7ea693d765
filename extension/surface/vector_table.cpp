#include "surface/vector_table.hpp"

#include <memory>
#include <span>

#include "db/boundary.hpp"
#include "db/module.hpp"
#include "db/statement.hpp"
#include "storage/integrity.hpp"
#include "storage/schema.hpp"
#include "surface/definition.hpp"
#include "surface/vector_table_best_index.hpp"
#include "surface/vector_table_cursor.hpp"
#include "surface/vector_table_update.hpp"

namespace isovec::surface {
namespace {

VectorTable& table_of(sqlite3_vtab* table) noexcept {
  return *static_cast<VectorTable*>(table);
}
VectorCursor& cursor_of(sqlite3_vtab_cursor* cursor) noexcept {
  return *static_cast<VectorCursor*>(cursor);
}

template <typename Body>
int guarded(sqlite3_vtab* table, Body&& body) noexcept {
  return db::guard(&table->zErrMsg, table_of(table).prefix.c_str(), std::forward<Body>(body));
}

// What the module's tables of one connection share.
using Budget = std::shared_ptr<storage::CacheBudget>;

// The arguments: module, schema, table, then those of the CREATE statement.
enum class Make { existing, fresh };
int make(Make what, sqlite3* db, void* argument, int count, const char* const* words, sqlite3_vtab** table,
         char** message) noexcept {
  return db::guard(message, "isovec: ", [&] {
    const std::span<const char* const> all(words, static_cast<std::size_t>(count));
    const auto& budget = *static_cast<const Budget*>(argument);
    auto made = std::make_unique<VectorTable>(db, parse_definition(all[1], all[2], all.subspan(3)), budget);
    db::check(db, sqlite3_declare_vtab(db, declaration_of(made->store.shape()).c_str()));
    db::check(db, sqlite3_vtab_config(db, SQLITE_VTAB_CONSTRAINT_SUPPORT, 1));
    db::check(db, sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS));
    if (what == Make::fresh) storage::create_tables(db, made->store.shape());
    *table = made.release();
    return SQLITE_OK;
  });
}

int create(sqlite3* db, void* argument, int count, const char* const* words, sqlite3_vtab** table,
           char** message) noexcept {
  return make(Make::fresh, db, argument, count, words, table, message);
}

int connect(sqlite3* db, void* argument, int count, const char* const* words, sqlite3_vtab** table,
            char** message) noexcept {
  return make(Make::existing, db, argument, count, words, table, message);
}

int disconnect(sqlite3_vtab* table) noexcept {
  delete &table_of(table);
  return SQLITE_OK;
}

int destroy(sqlite3_vtab* table) noexcept {
  const int rc = guarded(table, [&] {
    storage::Store& store = table_of(table).store;
    store.release();
    storage::drop_tables(store.connection(), store.shape());
    return SQLITE_OK;
  });
  return rc == SQLITE_OK ? disconnect(table) : rc;
}

int best_index(sqlite3_vtab* table, sqlite3_index_info* info) noexcept {
  return guarded(table, [&] { return plan_query(table_of(table).store.shape(), info); });
}

int open(sqlite3_vtab* table, sqlite3_vtab_cursor** cursor) noexcept {
  return guarded(table, [&] {
    *cursor = std::make_unique<VectorCursor>(table_of(table)).release();
    return SQLITE_OK;
  });
}

int close(sqlite3_vtab_cursor* cursor) noexcept {
  delete &cursor_of(cursor);
  return SQLITE_OK;
}

int filter(sqlite3_vtab_cursor* cursor, int, const char* plan, int count, sqlite3_value** values) noexcept {
  return guarded(cursor->pVtab, [&] {
    cursor_of(cursor).filter(decode_plan(plan), {values, static_cast<std::size_t>(count)});
    return SQLITE_OK;
  });
}

int next(sqlite3_vtab_cursor* cursor) noexcept {
  return guarded(cursor->pVtab, [&] {
    cursor_of(cursor).next();
    return SQLITE_OK;
  });
}

int eof(sqlite3_vtab_cursor* cursor) noexcept {
  return cursor_of(cursor).at_end() ? 1 : 0;
}

int column(sqlite3_vtab_cursor* cursor, sqlite3_context* context, int number) noexcept {
  return guarded(cursor->pVtab, [&] {
    cursor_of(cursor).column(context, number);
    return SQLITE_OK;
  });
}

int rowid(sqlite3_vtab_cursor* cursor, sqlite3_int64* id) noexcept {
  *id = cursor_of(cursor).rowid();
  return SQLITE_OK;
}

int update(sqlite3_vtab* table, int count, sqlite3_value** values, sqlite3_int64* id) noexcept {
  return guarded(table, [&] {
    *id = update_table(table_of(table), {values, static_cast<std::size_t>(count)});
    return SQLITE_OK;
  });
}

int rename(sqlite3_vtab* table, const char* name) noexcept {
  return guarded(table, [&] {
    require_table_name(table_of(table).store.shape(), name);
    table_of(table).store.rename(name);
    return SQLITE_OK;
  });
}

const char* name_of_match(sqlite3_context*) noexcept {
  return "MATCH";
}

// SQLite evaluates MATCH itself where it stands behind sixteen other conditions, although the search has
// answered it (it heeds `omit` for the first sixteen only), and where no plan could take it. The first is
// true of every row that the search returns; the second is an error.
void match(sqlite3_context* context, int, sqlite3_value** values) noexcept {
  db::guard(context, name_of_match, [&] {
    const auto& table = *static_cast<const VectorTable*>(sqlite3_user_data(context));
    for (const VectorCursor* cursor : table.cursors) {
      if (cursor->answers(values[0])) return sqlite3_result_int(context, 1);
    }
    throw Error(Code::invalid_argument,
                "a vector column of " + table.store.shape().name +
                    " can be searched only by a condition of its own, joined to others by AND");
  });
}

int find_function(sqlite3_vtab* table, int count, const char* name,
                  void (**function)(sqlite3_context*, int, sqlite3_value**), void** argument) noexcept {
  if (count != 2 || sqlite3_stricmp(name, "match") != 0) return 0;
  *function = match;
  *argument = &table_of(table);
  return 1;
}

int is_shadow_name(const char* suffix) noexcept {
  return storage::is_shadow_suffix(suffix) ? 1 : 0;
}

// PRAGMA integrity_check and quick_check, since SQLite 3.44: what is wrong is the result, not a failure.
int integrity(sqlite3_vtab* table, const char*, const char*, int flags, char** message) noexcept {
  constexpr int kQuick = 1;
  return guarded(table, [&] {
    const auto depth = (flags & kQuick) != 0 ? storage::Depth::quick : storage::Depth::whole;
    for (const std::string& sentence : storage::find_damage(table_of(table).store, 1, depth)) {
      *message = sqlite3_mprintf("%s%s", table_of(table).prefix.c_str(), sentence.c_str());
      if (*message == nullptr) return SQLITE_NOMEM;
    }
    return SQLITE_OK;
  });
}

db::Module make_module() noexcept {
  db::Module made{};
  sqlite3_module& module = made.declared;
  module.iVersion = db::runtime_version() >= 3044000 ? 4 : 3;
  module.xCreate = create;
  module.xConnect = connect;
  module.xBestIndex = best_index;
  module.xDisconnect = disconnect;
  module.xDestroy = destroy;
  module.xOpen = open;
  module.xClose = close;
  module.xFilter = filter;
  module.xNext = next;
  module.xEof = eof;
  module.xColumn = column;
  module.xRowid = rowid;
  module.xUpdate = update;
  module.xRename = rename;
  module.xFindFunction = find_function;
  module.xShadowName = is_shadow_name;
  made.set_integrity(integrity);
  return made;
}

constexpr const char* kNoMatch = "unable to use function MATCH in the requested context";

bool has_own_match(sqlite3* db) {
  bool own = true;
  try {
    db::Statement(db, "SELECT NULL MATCH NULL").step();
  } catch (const db::SqliteFailure& failure) {
    own = failure.result_code() != SQLITE_ERROR || std::string_view(failure.what()) != kNoMatch;
  }
  // sqlite3_open() would take an error that an automatic extension leaves behind for its own.
  db::execute(db, "SELECT 1");
  return own;
}

// SQLite's MATCH does nothing but fail, yet counts as unsafe, and a table's MATCH inherits that: views and
// triggers could not search where the schema is not trusted. The same function takes its place, marked as
// what it is; one that the application has made is left alone. Inside a statement, as in SELECT
// load_extension(...), SQLite lets no function be replaced: then views and triggers go without.
void make_match_innocuous(sqlite3* db) {
  if (has_own_match(db)) return;
  const auto fail = [](sqlite3_context* context, int, sqlite3_value**) {
    sqlite3_result_error(context, kNoMatch, -1);
  };
  const int rc = sqlite3_create_function_v2(db, "MATCH", 2, SQLITE_UTF8 | SQLITE_INNOCUOUS, nullptr, fail,
                                            nullptr, nullptr, nullptr);
  if (rc != SQLITE_BUSY) db::check(db, rc);
}

}  // namespace

void register_vector_table(sqlite3* db) {
  static const db::Module module = make_module();
  make_match_innocuous(db);
  auto budget = std::make_unique<Budget>(std::make_shared<storage::CacheBudget>());
  // SQLite destroys the argument, also where it fails.
  db::check(db, sqlite3_create_module_v2(db, "isovec", &module.declared, budget.release(),
                                         [](void* argument) { delete static_cast<Budget*>(argument); }));
}

}  // namespace isovec::surface
