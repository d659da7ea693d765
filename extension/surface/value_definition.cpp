#include "surface/value_definition.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace isovec::surface {
namespace {

// Words that end a type, since in SQL a constraint begins with them.
constexpr std::array<std::string_view, 17> kConstraintWords = {
    "primary", "partition", "indexed",    "not",       "null",   "default", "collate", "unique",    "check",
    "foreign", "as",        "references", "generated", "always", "on",      "key",     "constraint"};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// "(20)" or "(10,2)", which mean nothing to SQLite.
std::string parse_size(TokenReader& reader) {
  std::string text = "(";
  for (int numbers = 0; numbers < 2; ++numbers) {
    const Token number = reader.take();
    if (number.kind != Token::Kind::number) {
      reader.fail("expected a number in the parentheses of a type, found '" + number.value + "'");
    }
    text += number.value;
    if (reader.take_sign(')')) return text + ")";
    if (numbers == 0 && reader.take_sign(',')) {
      text += ",";
    } else {
      break;
    }
  }
  reader.fail("expected ')' after the numbers of a type, found " + reader.found());
}

std::string parse_type(TokenReader& reader) {
  std::string type;
  while (reader.peek().kind == Token::Kind::name && !reader.peek().quoted) {
    const Token& word = reader.peek();
    if (std::any_of(kConstraintWords.begin(), kConstraintWords.end(),
                    [&](std::string_view known) { return same_word(word.value, known); })) {
      break;
    }
    type += (type.empty() ? "" : " ") + lower(reader.take().value);
  }
  if (!type.empty() && reader.take_sign('(')) type += parse_size(reader);
  return type;
}

std::string quoted_text(const std::string& value) {
  std::string text = "'";
  for (const char c : value) text += c == '\'' ? "''" : std::string(1, c);
  return text + "'";
}

// A number without its sign: its tokens are parted where a point or the sign of an exponent stands.
std::string parse_number(TokenReader& reader) {
  const auto is_number = [&] { return reader.peek().kind == Token::Kind::number; };
  std::string text = is_number() ? reader.take().value : "";
  if (reader.take_sign('.')) {
    text += ".";
    if (is_number()) text += reader.take().value;
  }
  const bool exponent =
      !text.empty() && (text.back() == 'e' || text.back() == 'E') && text.find('x') == std::string::npos;
  if (exponent) {
    if (reader.take_sign('-')) text += "-";
    if (reader.take_sign('+')) text += "+";
    if (is_number()) text += reader.take().value;
  }
  const bool sound = !text.empty() && std::isalnum(static_cast<unsigned char>(text.back())) != 0 &&
                     text.find_first_of("0123456789") != std::string::npos;
  return sound || (text.size() > 1 && text.back() == '.') ? text : "";
}

std::string parse_literal(TokenReader& reader) {
  if (reader.take_sign('(')) {
    std::string inner = parse_literal(reader);
    if (!reader.take_sign(')'))
      reader.fail("DEFAULT takes a literal, found " + reader.found() + " behind it");
    return inner;
  }
  if (reader.peek().kind == Token::Kind::text) return quoted_text(reader.take().value);
  for (const char* word : {"NULL", "TRUE", "FALSE", "CURRENT_TIME", "CURRENT_DATE", "CURRENT_TIMESTAMP"}) {
    if (reader.take_word(word)) return word;
  }
  if (reader.take_word("x")) {
    const Token token = reader.take();
    const bool hexadecimal =
        token.value.size() % 2 == 0 && std::all_of(token.value.begin(), token.value.end(),
                                                   [](unsigned char c) { return std::isxdigit(c) != 0; });
    if (token.kind != Token::Kind::text || !hexadecimal)
      reader.fail("a BLOB is written x'0f', found x'" + token.value + "'");
    return "x'" + token.value + "'";
  }
  std::string sign;
  if (reader.take_sign('-')) sign = "-";
  if (sign.empty() && reader.take_sign('+')) sign = "+";
  const std::string found = reader.found();
  const std::string number = parse_number(reader);
  if (number.empty()) {
    reader.fail(
        "DEFAULT takes a number, a text in single quotes, x'0f', NULL, TRUE, FALSE, CURRENT_TIME, "
        "CURRENT_DATE or CURRENT_TIMESTAMP, found " +
        found);
  }
  return sign + number;
}

std::string parse_collation(TokenReader& reader) {
  for (const std::string_view known : {"BINARY", "NOCASE", "RTRIM"}) {
    if (reader.peek().kind != Token::Kind::name || !same_word(reader.peek().value, known)) continue;
    reader.take();
    return known == "BINARY" ? "" : std::string(known);
  }
  reader.fail("COLLATE takes BINARY, NOCASE or RTRIM, which every program has; found " + reader.found());
}

// PRIMARY KEY, PARTITION KEY
bool takes_key_words(TokenReader& reader, const char* first) {
  if (!reader.take_word(first)) return false;
  if (!reader.take_word("key"))
    reader.fail(std::string("expected KEY after ") + first + ", found " + reader.found());
  return true;
}

}  // namespace

bool take_not_null(TokenReader& reader) {
  if (!reader.take_word("not")) return false;
  if (!reader.take_word("null")) reader.fail("expected NULL after NOT, found " + reader.found());
  return true;
}

ValueDefinition parse_value_definition(TokenReader& reader) {
  ValueDefinition value;
  value.type = parse_type(reader);
  while (!reader.at_end()) {
    if (takes_key_words(reader, "primary")) {
      value.primary = true;
    } else if (takes_key_words(reader, "partition")) {
      value.partition = true;
    } else if (reader.take_word("indexed")) {
      value.indexed = true;
    } else if (take_not_null(reader)) {
      value.not_null = true;
    } else if (reader.take_word("null")) {
      continue;
    } else if (reader.take_word("default")) {
      value.default_value = parse_literal(reader);
    } else if (reader.take_word("collate")) {
      value.collation = parse_collation(reader);
    } else {
      reader.fail(
          "after its type a column takes PRIMARY KEY, PARTITION KEY, INDEXED, NOT NULL, DEFAULT or COLLATE, "
          "found " +
          reader.found());
    }
  }
  return value;
}

}  // namespace isovec::surface
