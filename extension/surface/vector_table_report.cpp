#include "surface/vector_table_report.hpp"

#include "db/read_transaction.hpp"
#include "storage/integrity.hpp"
#include "storage/table_report.hpp"
#include "surface/definition_source.hpp"
#include "surface/result.hpp"
#include "surface/table_function.hpp"

namespace isovec::surface {
namespace {

std::string schema_argument(std::span<sqlite3_value* const> arguments) {
  return arguments.size() > 1 ? std::string(db::Value(arguments[1]).text()) : "main";
}

// One row for each vector column of a table.
class InfoRows final : public Rows {
 public:
  InfoRows(sqlite3* db, const std::string& schema, const std::string& name)
      : snapshot_(db, schema), store_(db, find_definition(db, schema, name)), state_(store_.state()) {}

  bool next() override {
    if (++position_ >= static_cast<std::int64_t>(store_.shape().vectors.size())) return false;
    report_ = storage::report_column(store_, state_, static_cast<std::size_t>(position_));
    return true;
  }
  void column(sqlite3_context* context, int index) override;
  [[nodiscard]] std::int64_t rowid() const override { return position_; }

 private:
  db::ReadTransaction snapshot_;
  storage::Store store_;
  storage::State state_;
  std::int64_t position_ = -1;
  storage::ColumnReport report_;
};

void InfoRows::column(sqlite3_context* context, int index) {
  const auto number = static_cast<std::size_t>(position_);
  const storage::VectorColumn& column = store_.shape().vectors[number];
  switch (index) {
    case 0:
      return set_text(context, column.name);
    case 1:
      return sqlite3_result_int64(context, state_.rows);
    case 2:
      return sqlite3_result_int64(context, static_cast<std::int64_t>(column.dimension));
    case 3:
      return set_text(context, codec::name_of(column.type));
    case 4:
      return set_text(context, index::name_of(column.metric));
    case 5:
      if (!column.transform.empty()) set_text(context, column.transform);
      return;
    case 6:
      if (report_.fitted) set_text(context, *report_.fitted);
      return;
    case 7:
      if (report_.fitted) sqlite3_result_int64(context, report_.rows_at_fit);
      return;
    case 8:
      return sqlite3_result_int64(context, storage::count_undefined(store_, state_, number));
    case 9:
      return sqlite3_result_int64(context, report_.nulls);
    case 10:
      return sqlite3_result_int64(context, report_.raw_bytes);
    case 11:
      return sqlite3_result_int64(context, report_.code_bytes);
    case 12:
      return sqlite3_result_int64(context, report_.tail);
    default:
      return sqlite3_result_int64(context, state_.slots - state_.rows);
  }
}

constexpr TableFunction kInfo{
    .columns =
        "name TEXT, row_count INTEGER, dimension INTEGER, type TEXT, metric TEXT, spec TEXT, transform TEXT, "
        "rows_at_fit INTEGER, undefined INTEGER, nulls INTEGER, raw_bytes INTEGER, code_bytes INTEGER, tail "
        "INTEGER, holes INTEGER",
    .visible_columns = 14,
    .arguments = "table_name HIDDEN, schema_name HIDDEN",
    .minimum_arguments = 1,
    .maximum_arguments = 2,
    .open = [](sqlite3* db, std::span<sqlite3_value* const> arguments) -> std::unique_ptr<Rows> {
      for (const db::Value argument : arguments) {
        if (argument.is_null()) return nullptr;
      }
      return std::make_unique<InfoRows>(db, schema_argument(arguments),
                                        std::string(db::Value(arguments[0]).text()));
    },
    .innocuous = false,
};

void check(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  sqlite3* db = sqlite3_context_db_handle(context);
  const std::string schema = arguments.has(1) ? std::string(arguments[1].text()) : "main";
  const db::ReadTransaction snapshot(db, schema);
  storage::Store store(db, find_definition(db, schema, std::string(arguments[0].text())));
  std::string text;
  for (const std::string& sentence : storage::find_damage(store))
    text += (text.empty() ? "" : "\n") + sentence;
  set_text(context, text.empty() ? "ok" : text);
}

constexpr Function kFunctions[] = {
    {.name = "isovec_info",
     .signature = "isovec_info(table [, schema])",
     .minimum_arguments = 1,
     .maximum_arguments = 2,
     .chapter = Chapter::about,
     .summary =
         "A table with a row for each vector column of an isovec table: its rows, dimension, type and "
         "metric, the spec that is declared and the one that is fitted with the rows it was fitted to, how "
         "many rows have no distance (zero vectors under cosine), how many have no vector (NULL), the bytes "
         "of the vectors and of their codes, how many vectors have no code (a search reads those as they "
         "are), and how many places between the rows are free.",
     .example = "SELECT group_concat(name, ' ') FROM pragma_table_info('isovec_info')",
     .result = "name row_count dimension type metric spec transform rows_at_fit undefined nulls raw_bytes "
               "code_bytes tail holes",
     .flags = 0,
     .module = &module_of<kInfo>},
    {.name = "isovec_check",
     .signature = "isovec_check(table [, schema])",
     .minimum_arguments = 1,
     .maximum_arguments = 2,
     .chapter = Chapter::about,
     .summary = "'ok', or a line for each thing that is damaged in an isovec table: every stored byte is "
                "compared with "
                "its checksum, and rows, vectors and transforms with one another. The same as the command "
                "'integrity-check', but needs no write lock.",
     .example = "SELECT isovec_check(NULL) IS NULL",
     .result = "1",
     .flags = SQLITE_UTF8 | SQLITE_DIRECTONLY,
     .call = call<check>},
};

}  // namespace

std::span<const Function> report_functions() noexcept {
  return kFunctions;
}

}  // namespace isovec::surface
