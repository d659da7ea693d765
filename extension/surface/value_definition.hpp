#pragma once
// What stands behind the name of a column of ordinary values in CREATE VIRTUAL TABLE: a type and constraints,
// with SQLite's meaning, as tools that write SQL declare them.
//
// clang-format off
//   value      = { word } [ "(" number [ "," number ] ")" ] { constraint }
//   constraint = "primary" "key" | "partition" "key" | "indexed" | "not" "null" | "null"
//              | "default" literal | "collate" ( "binary" | "nocase" | "rtrim" )
//   literal    = [ sign ] number | 'text' | x'00' | "null" | "true" | "false"
//              | "current_time" | "current_date" | "current_timestamp"; also in parentheses
// clang-format on
//
// The type is what SQLite calls the declared type: any words, which the rules of
// https://sqlite.org/datatype3.html, 3.1 turn into an affinity.

#include <string>

#include "surface/definition_tokens.hpp"

namespace isovec::surface {

struct ValueDefinition {
  std::string type;           ///< In lower case; empty where none is declared.
  std::string default_value;  ///< As SQL; empty where none is declared.
  std::string collation;      ///< "NOCASE" or "RTRIM"; empty for BINARY.
  bool not_null = false;
  bool indexed = false;
  bool primary = false;
  bool partition = false;
};

/// Takes NOT NULL if it comes next. Throws Error where NOT stands alone.
[[nodiscard]] bool take_not_null(TokenReader& reader);

/// Reads up to the end of the argument. Throws Error that quotes it.
[[nodiscard]] ValueDefinition parse_value_definition(TokenReader& reader);

}  // namespace isovec::surface
