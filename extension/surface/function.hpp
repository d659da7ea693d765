#pragma once
// The declarative table of SQL functions: one row says how a function is called, what it does, and an example
// with what the example prints. Registration, the vec_help table, the README's reference and the test of
// every example all read the same rows.

#include <memory>
#include <span>
#include <string_view>

#include "db/aggregate.hpp"
#include "db/boundary.hpp"
#include "db/value.hpp"

namespace isovec::surface {

/// The arguments of one call.
class Arguments {
 public:
  Arguments(int count, sqlite3_value** values) noexcept : values_(values, static_cast<std::size_t>(count)) {}
  [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }
  [[nodiscard]] db::Value operator[](std::size_t index) const noexcept { return values_[index]; }
  [[nodiscard]] bool has(std::size_t index) const noexcept { return index < values_.size(); }
  /// NULL in, NULL out: most functions return at once where this holds.
  [[nodiscard]] bool any_null() const noexcept {
    for (sqlite3_value* value : values_) {
      if (sqlite3_value_type(value) == SQLITE_NULL) return true;
    }
    return false;
  }

 private:
  std::span<sqlite3_value*> values_;
};

struct Function;
class ConnectionState;

/// What SQLite keeps for each function of a connection: its row, and what the functions of the connection
/// share.
struct Registration {
  const Function* function;
  std::shared_ptr<ConnectionState> state;
};

/// The function that runs in `context`; its row of the table.
[[nodiscard]] const Function& function_of(sqlite3_context* context) noexcept;
/// What the functions of its connection share.
[[nodiscard]] ConnectionState& state_of(sqlite3_context* context) noexcept;
/// Its name, for the error boundary.
[[nodiscard]] const char* name_of(sqlite3_context* context) noexcept;

using Call = void (*)(sqlite3_context*, int, sqlite3_value**);
using Finish = void (*)(sqlite3_context*);

/// Where a function stands in the reference.
enum class Chapter { values, arithmetic, distance, aggregate, transform, judgement, about };
[[nodiscard]] std::string_view title_of(Chapter chapter) noexcept;

/// One row: a scalar has `call`; an aggregate has `step` and `final`; a window function also `value` and
/// `inverse`; a table-valued function has `module` and is called by name in a FROM clause.
struct Function {
  const char* name;
  std::string_view signature;  ///< As a user writes it: "vec_dot(a, b)".
  int minimum_arguments;
  int maximum_arguments;
  Chapter chapter;
  std::string_view summary;  ///< Sentences: what it returns, shapes, units, errors.
  std::string_view example;  ///< One SELECT, run by the tests.
  std::string_view result;   ///< What the example prints in the sqlite3 shell's list mode.
  int flags;
  Call call = nullptr;
  Call step = nullptr;
  Finish final = nullptr;
  Finish value = nullptr;
  Call inverse = nullptr;
  const sqlite3_module* module = nullptr;
};

/// Same bytes in, same bytes out on every CPU: may stand in an index, a CHECK or a generated column.
inline constexpr int kPure = SQLITE_UTF8 | SQLITE_INNOCUOUS | SQLITE_DETERMINISTIC | SQLITE_SUBTYPE;
/// As kPure, and the result carries a subtype.
inline constexpr int kPureVector = kPure | db::kResultSubtype;
/// Harmless, but its last bits may differ between CPUs.
inline constexpr int kInnocuous = SQLITE_UTF8 | SQLITE_INNOCUOUS | SQLITE_SUBTYPE;
/// As kInnocuous, and the result carries a subtype.
inline constexpr int kInnocuousVector = kInnocuous | db::kResultSubtype;

/// Makes SQLite's callback of a body that takes (context, arguments) and may throw.
template <auto Body>
void call(sqlite3_context* context, int count, sqlite3_value** values) noexcept {
  db::guard(context, name_of, [&] { Body(context, Arguments(count, values)); });
}

/// Makes SQLite's step or inverse callback of a body that takes (context, arguments) and may throw: after
/// that the aggregate has no state.
template <auto Body>
void step(sqlite3_context* context, int count, sqlite3_value** values) noexcept {
  db::guard(context, name_of,
            [&] { db::run_step(context, [&] { Body(context, Arguments(count, values)); }); });
}

/// Makes SQLite's final or value callback of a body that takes the context and may throw.
template <auto Body>
void finish(sqlite3_context* context) noexcept {
  db::guard(context, name_of, [&] { Body(context); });
}

/// All rows, in the order of the reference.
[[nodiscard]] std::span<const std::span<const Function>> function_tables() noexcept;

/// Registers every row on `db`. Throws what SQLite says.
void register_functions(sqlite3* db);

}  // namespace isovec::surface
