#include "surface/definition_source.hpp"

#include <algorithm>
#include <isovec/error.hpp>

#include "db/statement.hpp"
#include "surface/definition.hpp"
#include "surface/definition_tokens.hpp"

namespace isovec::surface {
namespace {

// Bytes of the quoted name or text that `text` starts with, 1 for any other byte. To SQLite the brackets of
// float[768] too are quotes.
std::size_t quoted_size(std::string_view text) {
  const char open = text.front();
  if (open == '[') return std::min(text.find(']'), text.size() - 1) + 1;
  if (open != '\'' && open != '"' && open != '`') return 1;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] != open) continue;
    if (i + 1 == text.size() || text[i + 1] != open) return i + 1;
    ++i;
  }
  return text.size();
}

// SQLite leaves out an argument in which nothing stands.
void append(Buffer<std::string>& arguments, const std::string& argument) {
  if (argument.find_first_not_of(" \t\n\f\r") != std::string::npos) arguments.push_back(argument);
}

}  // namespace

Buffer<std::string> arguments_of(const std::string& create) {
  Buffer<std::string> arguments;
  std::string current;
  int depth = 0;
  for (std::size_t i = 0; i < create.size();) {
    const std::string_view rest = std::string_view(create).substr(i);
    const std::size_t comment = comment_size(rest);
    const std::size_t size = comment > 0 ? comment : quoted_size(rest);
    const char c = create[i];
    const bool ends = depth == 1 && (c == ',' || c == ')');
    if (ends) {
      append(arguments, current);
      current.clear();
    } else if (depth > 0 && comment == 0) {
      current += rest.substr(0, size);
    } else if (comment > 0) {
      current += ' ';
    }
    if (size == 1 && c == '(' && ++depth == 1) current.clear();
    if (size == 1 && c == ')') --depth;
    i += size;
  }
  return arguments;
}

storage::TableShape find_definition(sqlite3* db, const std::string& schema, const std::string& name) {
  db::Statement find(db,
                     "SELECT name, sql FROM " + db::quoted(schema) +
                         ".sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE AND rootpage = 0");
  find.bind(1, name);
  if (!find.step()) {
    throw Error(Code::invalid_argument, "there is no isovec table " + name + " in the schema " + schema);
  }
  const std::string create = find.text(1);
  const Buffer<std::string> arguments = arguments_of(create);
  Buffer<const char*> words;
  for (const std::string& argument : arguments) words.push_back(argument.c_str());
  return parse_definition(schema, find.text(0), words);
}

}  // namespace isovec::surface
