#pragma once
// The words of one argument of CREATE VIRTUAL TABLE.

#include <isovec/buffer.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace isovec::surface {

/// One token; quotes are taken off.
struct Token {
  enum class Kind { name, number, text, sign, end };
  Kind kind = Kind::end;
  std::string value;    ///< As written, a name without its quotes.
  bool quoted = false;  ///< A name in quotes is no keyword.
};

/// Reads the tokens of one argument in order. Throws Error that quotes the argument.
class TokenReader {
 public:
  explicit TokenReader(std::string_view argument);

  [[nodiscard]] const Token& peek() const noexcept { return tokens_[position_]; }
  Token take();
  /// Takes the keyword, in any case, if it comes next.
  [[nodiscard]] bool take_word(std::string_view keyword);
  [[nodiscard]] bool take_sign(char sign);
  [[nodiscard]] bool at_end() const noexcept { return peek().kind == Token::Kind::end; }
  /// The whole argument with blanks at both ends taken off.
  [[nodiscard]] std::string_view argument() const noexcept { return argument_; }
  /// Throws Error{invalid_argument}: "in '<argument>': <what>".
  [[noreturn]] void fail(const std::string& what) const;
  /// What stands next, for messages: "'x'" or "the end".
  [[nodiscard]] std::string found() const;

 private:
  void split();
  std::string_view argument_;
  Buffer<Token> tokens_;
  std::size_t position_ = 0;
};

/// Whether two ASCII words are equal but for case.
[[nodiscard]] bool same_word(std::string_view a, std::string_view b) noexcept;

/// Bytes of the SQL comment that the text starts with, 0 where it starts with none.
[[nodiscard]] std::size_t comment_size(std::string_view text) noexcept;

}  // namespace isovec::surface
