#include "surface/about_functions.hpp"

#include <isovec/version.hpp>
#include <string>

#include "core/kernels.hpp"
#include "surface/connection_state.hpp"
#include "surface/result.hpp"
#include "surface/table_function.hpp"

namespace isovec::surface {

namespace {

void version(sqlite3_context* context, const Arguments&) {
  set_text(context, "v" ISOVEC_VERSION);
}

void backend(sqlite3_context* context, const Arguments&) {
  set_text(context, core::kernels().name);
}

void debug(sqlite3_context* context, const Arguments&) {
  std::string text = "Version: v" ISOVEC_VERSION "\nSQLite: ";
  text += sqlite3_libversion();
  text += "\nCompiler: " __VERSION__ "\nTransforms decoded: ";
  text += std::to_string(state_of(context).transforms.decoded());
  text += "\nEigendecompositions of statistics: ";
  text += std::to_string(state_of(context).decompositions);
  text += "\nBuild flags:";
  for (const core::KernelTable* table : core::runnable_kernels()) text += " " + std::string(table->name);
  if (const std::string_view unknown = core::unknown_kernels(); !unknown.empty()) {
    text += "\nISOVEC_ISA: '" + std::string(unknown) + "' is none of these and was passed over; in use is " +
            core::kernels().name;
  }
  set_text(context, text);
}

// Every row of the declarative table, in its order.
class HelpRows : public Rows {
 public:
  bool next() override {
    const auto tables = function_tables();
    ++position_;
    ++index_;
    while (table_ < tables.size() && index_ >= tables[table_].size()) {
      ++table_;
      index_ = 0;
    }
    return table_ < tables.size();
  }
  void column(sqlite3_context* context, int index) override {
    const Function& function = function_tables()[table_][index_];
    switch (index) {
      case 0:
        return set_text(context, function.name);
      case 1:
        return set_text(context, function.signature);
      case 2:
        return set_text(context, title_of(function.chapter));
      case 3:
        return set_text(context, function.summary);
      case 4:
        return set_text(context, function.example);
      default:
        return set_text(context, function.result);
    }
  }
  [[nodiscard]] std::int64_t rowid() const override { return position_; }

 private:
  std::size_t table_ = 0;
  std::size_t index_ = static_cast<std::size_t>(-1);
  std::int64_t position_ = -1;
};

constexpr TableFunction kHelp{
    .columns = "name TEXT, signature TEXT, chapter TEXT, doc TEXT, example TEXT, result TEXT",
    .visible_columns = 6,
    .arguments = "",
    .minimum_arguments = 0,
    .maximum_arguments = 0,
    .open = [](sqlite3*, std::span<sqlite3_value* const>) -> std::unique_ptr<Rows> {
      return std::make_unique<HelpRows>();
    },
};

constexpr Function kFunctions[] = {
    {.name = "vec_version",
     .signature = "vec_version()",
     .minimum_arguments = 0,
     .maximum_arguments = 0,
     .chapter = Chapter::about,
     .summary = "The version of isovec, as 'v' and three numbers.",
     .example = "SELECT vec_version()",
     .result = "v" ISOVEC_VERSION,
     .flags = kInnocuous,
     .call = call<version>},
    {.name = "vec_debug",
     .signature = "vec_debug()",
     .minimum_arguments = 0,
     .maximum_arguments = 0,
     .chapter = Chapter::about,
     .summary =
         "A few lines for a bug report: version, SQLite's version, compiler, how many transform BLOBs this "
         "connection has decoded and how many eigendecompositions vec_fit_stats() has made, the kernels "
         "this CPU can run, and whether ISOVEC_ISA named others.",
     .example = "SELECT vec_debug() LIKE 'Version: v%Build flags:%'",
     .result = "1",
     .flags = kInnocuous,
     .call = call<debug>},
    {.name = "vec_backend",
     .signature = "vec_backend()",
     .minimum_arguments = 0,
     .maximum_arguments = 0,
     .chapter = Chapter::about,
     .summary = "The kernels in use: baseline, avx2, avx512, avx512vnni or neon. The environment variable "
                "ISOVEC_ISA "
                "chooses others at load; results do not depend on it.",
     .example = "SELECT vec_backend() IN ('baseline', 'avx2', 'avx512', 'avx512vnni', 'neon')",
     .result = "1",
     .flags = kInnocuous,
     .call = call<backend>},
    {.name = "vec_help",
     .signature = "vec_help",
     .minimum_arguments = 0,
     .maximum_arguments = 0,
     .chapter = Chapter::about,
     .summary = "A table of every function: name, signature, chapter, doc, example, result.",
     .example = "SELECT signature FROM vec_help WHERE name = 'vec_version'",
     .result = "vec_version()",
     .flags = 0,
     .module = &module_of<kHelp>},
};

}  // namespace

std::span<const Function> about_functions() noexcept {
  return kFunctions;
}

}  // namespace isovec::surface
