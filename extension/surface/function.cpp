#include "surface/function.hpp"

#include "surface/about_functions.hpp"

namespace isovec::surface {

namespace {

void register_scalar_or_aggregate(sqlite3* db, const Function& function) {
  for (int count = function.minimum_arguments; count <= function.maximum_arguments; ++count) {
    auto* row = const_cast<Function*>(&function);  // SQLite hands it back as it is; nobody writes to it
    const int rc =
        function.inverse != nullptr
            ? sqlite3_create_window_function(db, function.name, count, function.flags, row, function.step,
                                             function.final, function.value, function.inverse, nullptr)
            : sqlite3_create_function_v2(db, function.name, count, function.flags, row, function.call,
                                         function.step, function.final, nullptr);
    db::check(db, rc);
  }
}

}  // namespace

const Function& function_of(sqlite3_context* context) noexcept {
  return *static_cast<const Function*>(sqlite3_user_data(context));
}

const char* name_of(sqlite3_context* context) noexcept {
  return function_of(context).name;
}

std::string_view title_of(Chapter chapter) noexcept {
  switch (chapter) {
    case Chapter::values:
      return "Vectors as values";
    case Chapter::arithmetic:
      return "Arithmetic";
    case Chapter::distance:
      return "Similarity and distance";
    case Chapter::aggregate:
      return "Aggregates";
    case Chapter::transform:
      return "Statistics and transforms";
    case Chapter::judgement:
      return "Judging results";
    case Chapter::about:
      return "About isovec";
  }
  return "";
}

std::span<const std::span<const Function>> function_tables() noexcept {
  static const std::span<const Function> tables[] = {
      about_functions(),
  };
  return tables;
}

void register_functions(sqlite3* db) {
  for (const auto& table : function_tables()) {
    for (const Function& function : table) {
      if (function.module != nullptr) {
        db::check(db, sqlite3_create_module_v2(db, function.name, function.module,
                                               const_cast<Function*>(&function), nullptr));
      } else {
        register_scalar_or_aggregate(db, function);
      }
    }
  }
}

}  // namespace isovec::surface
