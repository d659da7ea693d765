#pragma once
// The one error vocabulary of isovec. Everything below the SQL surface throws Error; the SQL surface catches
// it at one boundary and turns it into an SQLite result code and a message.

#include <stdexcept>
#include <string>

namespace isovec {

/// What kind of failure an Error is; each maps to one SQLite result code.
enum class Code {
  invalid_argument = 1,  ///< The caller's value is wrong (SQLITE_ERROR).
  mismatch,              ///< A value of the wrong type for a row's key (SQLITE_MISMATCH).
  constraint,            ///< A uniqueness or NOT NULL rule is broken (SQLITE_CONSTRAINT).
  too_big,               ///< A size above a limit (SQLITE_TOOBIG).
  corrupt,               ///< Stored bytes are damaged (SQLITE_CORRUPT_VTAB).
  interrupted,           ///< The user asked to stop (SQLITE_INTERRUPT).
};

/// A failure with a sentence for its reader: what was expected, what was found, what to do.
/// The message does not name the SQL function; the boundary puts that in front.
class Error : public std::runtime_error {
 public:
  Error(Code code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] Code code() const noexcept { return code_; }

 private:
  Code code_;
};

}  // namespace isovec
