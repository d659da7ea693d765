#include "surface/vector_table_commands.hpp"

#include <isovec/fit.hpp>

#include "storage/integrity.hpp"
#include "storage/refit.hpp"
#include "storage/upkeep.hpp"
#include "surface/definition_tokens.hpp"
#include "surface/transform_argument.hpp"

namespace isovec::surface {
namespace {

constexpr const char* kCommands = "fit, transform, unfit, optimize, rebuild, integrity-check";

// "fit column=embedding whiten eps=1" in parts.
struct Command {
  std::string verb;
  std::string column;  ///< Empty where none is named.
  std::string rest;    ///< A spec.
};

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Takes the next word; one in double quotes may hold blanks.
std::string take_word(std::string_view& text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  std::string word;
  bool quoted = false;
  while (!text.empty() && (quoted || !is_blank(text.front()))) {
    if (text.front() == '"') {
      quoted = !quoted;
    } else {
      word += text.front();
    }
    text.remove_prefix(1);
  }
  return word;
}

Command parse_command(std::string_view text) {
  Command command;
  command.verb = take_word(text);
  std::string_view ahead = text;
  const std::string word = take_word(ahead);
  constexpr std::string_view kColumn = "column=";
  if (word.starts_with(kColumn)) {
    command.column = word.substr(kColumn.size());
    if (command.column.empty())
      throw Error(Code::invalid_argument, "column= needs the name of a vector column");
    text = ahead;
  }
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  command.rest = text;
  return command;
}

std::string column_list(const storage::TableShape& shape) {
  std::string list;
  for (const storage::VectorColumn& column : shape.vectors) list += (list.empty() ? "" : ", ") + column.name;
  return list;
}

// The column that a command names, or the only one there is.
std::size_t column_of(const storage::TableShape& shape, const Command& command) {
  if (command.column.empty()) {
    if (shape.vectors.size() == 1) return 0;
    throw Error(Code::invalid_argument, "the table has several vector columns, so '" + command.verb +
                                            "' needs column=, one of " + column_list(shape));
  }
  for (std::size_t i = 0; i < shape.vectors.size(); ++i) {
    if (same_word(shape.vectors[i].name, command.column)) return i;
  }
  throw Error(Code::invalid_argument,
              "no vector column is named " + command.column + ": there is " + column_list(shape));
}

// The spec that 'fit' uses where it names none: the declared one, or else the one that was fitted before.
std::string usual_spec(storage::Store& store, const storage::State& state, std::size_t column) {
  const std::string& declared = store.shape().vectors[column].transform;
  if (!declared.empty()) return declared;
  const auto record = storage::read_transform(store.statements(), column, state);
  return record && record->statistics ? record->spec : "";
}

void fit_columns(storage::Store& store, const Command& command) {
  const storage::State state = store.state();
  const storage::TableShape& shape = store.shape();
  Buffer<storage::Refit> refits;
  const bool all = command.column.empty() && command.rest.empty();
  const std::size_t chosen = all ? 0 : column_of(shape, command);
  for (std::size_t c = chosen; c < (all ? shape.vectors.size() : chosen + 1); ++c) {
    const std::string spec = command.rest.empty() ? usual_spec(store, state, c) : command.rest;
    if (!spec.empty()) refits.push_back(storage::fit_column(store, state, c, parse_spec(spec)));
  }
  if (refits.empty()) {
    throw Error(Code::invalid_argument,
                "there is nothing to fit: no transform= is declared. Name one, as in 'fit column=" +
                    shape.vectors[chosen].name + " whiten eps=1'");
  }
  storage::write_refits(store, state, refits);
}

void set_transform(storage::Store& store, const Command& command, db::Value transform) {
  if (!transform.is_blob()) {
    throw Error(
        Code::invalid_argument,
        std::string("'transform' needs a transform (a BLOB from vec_fit) in the column transform, got ") +
            transform.type_name());
  }
  static_cast<void>(transform_value(transform));
  const storage::State state = store.state();
  Buffer<storage::Refit> refits;
  refits.push_back(
      storage::given_transform(store, state, column_of(store.shape(), command), transform.blob()));
  storage::write_refits(store, state, refits);
}

void unfit(storage::Store& store, const Command& command) {
  const storage::State state = store.state();
  Buffer<std::size_t> columns;
  if (!command.column.empty()) {
    columns.push_back(column_of(store.shape(), command));
  } else {
    for (std::size_t c = 0; c < store.shape().vectors.size(); ++c) columns.push_back(c);
  }
  storage::unfit_columns(store, state, columns);
}

}  // namespace

void run_command(VectorTable& table, const std::string& text, db::Value transform) {
  const Command command = parse_command(text);
  storage::Store& store = table.store;
  const auto is = [&](const char* verb) { return same_word(command.verb, verb); };
  if (!is("transform") && !transform.is_null()) {
    throw Error(Code::invalid_argument, "only the command 'transform' takes a value in the column transform");
  }
  if (!is("fit") && !command.rest.empty()) {
    throw Error(Code::invalid_argument, "'" + command.verb + "' takes no '" + command.rest + "'");
  }
  if (is("fit")) return fit_columns(store, command);
  if (is("transform")) return set_transform(store, command, transform);
  if (is("unfit")) return unfit(store, command);
  if (is("optimize")) return storage::optimize(store);
  if (is("rebuild")) return storage::rebuild(store);
  if (is("integrity-check")) return storage::require_integrity(store);
  throw Error(Code::invalid_argument, "unknown command '" + command.verb + "': there is " + kCommands);
}

}  // namespace isovec::surface
