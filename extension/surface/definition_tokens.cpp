#include "surface/definition_tokens.hpp"

#include <algorithm>
#include <isovec/error.hpp>

namespace isovec::surface {
namespace {

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}
bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
// As SQLite has it: letters, digits, underscore, dollar, and every byte of a character outside ASCII.
bool is_name(char c) noexcept {
  return (lower(c) >= 'a' && lower(c) <= 'z') || is_digit(c) || c == '_' || c == '$' ||
         static_cast<signed char>(c) < 0;
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

std::size_t comment_size(std::string_view text) noexcept {
  if (text.starts_with("--")) return std::min(text.size(), text.find('\n'));
  if (!text.starts_with("/*")) return 0;
  const std::size_t end = text.find("*/", 2);
  return end == std::string_view::npos ? text.size() : end + 2;
}

bool same_word(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

TokenReader::TokenReader(std::string_view argument) : argument_(trimmed(argument)) {
  split();
}

void TokenReader::split() {
  std::size_t i = 0;
  const auto take_quoted = [&](char end) {
    std::string value;
    for (++i; i < argument_.size(); ++i) {
      if (argument_[i] != end) {
        value += argument_[i];
      } else if (end != ']' && i + 1 < argument_.size() && argument_[i + 1] == end) {
        value += argument_[i++];
      } else {
        ++i;
        return value;
      }
    }
    fail(std::string("a quote is opened with ") + (end == ']' ? '[' : end) + " and not closed");
  };
  while (i < argument_.size()) {
    const char c = argument_[i];
    if (is_blank(c)) {
      ++i;
    } else if (const std::size_t comment = comment_size(argument_.substr(i)); comment > 0) {
      i += comment;
    } else if (c == '\'') {
      tokens_.push_back({Token::Kind::text, take_quoted(c), true});
    } else if (c == '"' || c == '`') {
      tokens_.push_back({Token::Kind::name, take_quoted(c), true});
    } else if (c == '[' && (tokens_.empty() || (tokens_.size() == 1 && tokens_[0].value == "+"))) {
      tokens_.push_back({Token::Kind::name, take_quoted(']'), true});
    } else if (is_name(c)) {
      const std::size_t begin = i;
      while (i < argument_.size() && is_name(argument_[i])) ++i;
      const auto kind = is_digit(c) ? Token::Kind::number : Token::Kind::name;
      tokens_.push_back({kind, std::string(argument_.substr(begin, i - begin)), false});
    } else {
      tokens_.push_back({Token::Kind::sign, std::string(1, c), false});
      ++i;
    }
  }
  tokens_.push_back({});
}

Token TokenReader::take() {
  Token token = peek();
  if (!at_end()) ++position_;
  return token;
}

bool TokenReader::take_word(std::string_view keyword) {
  const bool there = peek().kind == Token::Kind::name && !peek().quoted && same_word(peek().value, keyword);
  if (there) ++position_;
  return there;
}

bool TokenReader::take_sign(char sign) {
  const bool there = peek().kind == Token::Kind::sign && peek().value[0] == sign;
  if (there) ++position_;
  return there;
}

std::string TokenReader::found() const {
  return at_end() ? "nothing" : "'" + peek().value + "'";
}

void TokenReader::fail(const std::string& what) const {
  throw Error(Code::invalid_argument, "in '" + std::string(argument_) + "': " + what);
}

}  // namespace isovec::surface
