#pragma once
// The one place where C++ exceptions stop. Every callback that SQLite calls is noexcept and runs its body
// inside one of these two functions, under the default floating-point environment.

#include <new>
#include <string_view>
#include <utility>

#include "core/floating_point.hpp"
#include "db/failure.hpp"

namespace isovec::db {

/// Reports `result_code` with "name: message" as the result of an SQL function; an interrupt with SQLite's
/// own text and nothing else. Never throws.
void report(sqlite3_context* context, const char* name, int result_code, const char* message) noexcept;

/// Sets the error message of a virtual table, none for an interrupt, so that SQLite says what it always says;
/// the text that was there is freed. Returns `result_code`. Never throws.
int report(char** error_message, const char* prefix, int result_code, const char* message) noexcept;

/// Runs the body of an SQL function; whatever it throws becomes the function's error, behind the name that
/// `name_of` gives, which is asked only then.
template <typename Body>
void guard(sqlite3_context* context, const char* (*name_of)(sqlite3_context*) noexcept,
           Body&& body) noexcept {
  const core::FloatingPointScope floating_point;
  try {
    std::forward<Body>(body)();
  } catch (const std::bad_alloc&) {
    sqlite3_result_error_nomem(context);
  } catch (const Error& error) {
    report(context, name_of(context), result_code_of(error.code()), error.what());
  } catch (const SqliteFailure& failure) {
    report(context, name_of(context), failure.result_code(), failure.what());
  } catch (const std::exception& error) {
    report(context, name_of(context), SQLITE_ERROR, error.what());
  } catch (...) {
    report(context, name_of(context), SQLITE_INTERNAL, "unknown failure");
  }
}

/// Runs the body of a virtual table's method; returns its result code or that of what it throws, whose
/// message goes to `error_message` behind `prefix` ("docs: "), unless it is null. Of a constraint SQLite's
/// own sentence names the table, and programs look for it as it is.
template <typename Body>
int guard(char** error_message, const char* prefix, Body&& body) noexcept {
  const core::FloatingPointScope floating_point;
  try {
    return std::forward<Body>(body)();
  } catch (const std::bad_alloc&) {
    return SQLITE_NOMEM;
  } catch (const Error& error) {
    return report(error_message, prefix, result_code_of(error.code()), error.what());
  } catch (const SqliteFailure& failure) {
    const bool of_constraint = (failure.result_code() & 0xFF) == SQLITE_CONSTRAINT;
    return report(error_message, of_constraint ? "" : prefix, failure.result_code(), failure.what());
  } catch (const std::exception& error) {
    return report(error_message, prefix, SQLITE_ERROR, error.what());
  } catch (...) {
    return SQLITE_INTERNAL;
  }
}

}  // namespace isovec::db
