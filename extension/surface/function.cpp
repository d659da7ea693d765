#include "surface/function.hpp"

#include "surface/about_functions.hpp"
#include "surface/aggregate_functions.hpp"
#include "surface/arithmetic_functions.hpp"
#include "surface/connection_state.hpp"
#include "surface/direction_functions.hpp"
#include "surface/distance_functions.hpp"
#include "surface/isotropy_functions.hpp"
#include "surface/judgement_functions.hpp"
#include "surface/npy_functions.hpp"
#include "surface/pair_functions.hpp"
#include "surface/plot_functions.hpp"
#include "surface/statistics_functions.hpp"
#include "surface/transform_functions.hpp"
#include "surface/transformed_distance_functions.hpp"
#include "surface/value_functions.hpp"
#include "surface/vector_table_report.hpp"

namespace isovec::surface {

namespace {

void forget(void* registration) {
  delete static_cast<Registration*>(registration);
}

Registration& registration_of(sqlite3_context* context) noexcept {
  return *static_cast<Registration*>(sqlite3_user_data(context));
}

// SQLite calls forget() for what it was handed, also where registering fails.
void register_scalar_or_aggregate(sqlite3* db, const Function& function,
                                  const std::shared_ptr<ConnectionState>& state) {
  for (int count = function.minimum_arguments; count <= function.maximum_arguments; ++count) {
    auto* row = new Registration{&function, state};
    const int rc =
        function.inverse != nullptr
            ? sqlite3_create_window_function(db, function.name, count, function.flags, row, function.step,
                                             function.final, function.value, function.inverse, forget)
            : sqlite3_create_function_v2(db, function.name, count, function.flags, row, function.call,
                                         function.step, function.final, forget);
    db::check(db, rc);
  }
}

}  // namespace

const Function& function_of(sqlite3_context* context) noexcept {
  return *registration_of(context).function;
}

ConnectionState& state_of(sqlite3_context* context) noexcept {
  return *registration_of(context).state;
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
      value_functions(),
      arithmetic_functions(),
      distance_functions(),
      direction_functions(),
      aggregate_functions(),
      pair_functions(),
      statistics_functions(),
      transform_functions(),
      transformed_distance_functions(),
      isotropy_functions(),
      npy_functions(),
      plot_functions(),
      judgement_functions(),
      about_functions(),
      report_functions(),
  };
  return tables;
}

void register_functions(sqlite3* db) {
  const auto state = std::make_shared<ConnectionState>();
  for (const auto& table : function_tables()) {
    for (const Function& function : table) {
      if (function.module != nullptr) {
        db::check(db, sqlite3_create_module_v2(db, function.name, function.module,
                                               new Registration{&function, state}, forget));
      } else {
        register_scalar_or_aggregate(db, function, state);
      }
    }
  }
}

}  // namespace isovec::surface
