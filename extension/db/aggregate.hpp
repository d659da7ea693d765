#pragma once
// The state of an aggregate as a C++ object: made by the first step, destroyed by the final call whatever
// happens.

#include <memory>
#include <new>

#include "db/failure.hpp"

namespace isovec::db {

/// The state of the running aggregate, made when there is none. Throws std::bad_alloc.
template <typename State>
State& aggregate_state(sqlite3_context* context) {
  auto** slot = static_cast<State**>(sqlite3_aggregate_context(context, sizeof(State*)));
  if (slot == nullptr) throw std::bad_alloc();
  if (*slot == nullptr) *slot = new State();
  return **slot;
}

/// The state for a value that leaves it in place (window functions), or null before the first step.
template <typename State>
State* peek_aggregate_state(sqlite3_context* context) noexcept {
  auto** slot = static_cast<State**>(sqlite3_aggregate_context(context, 0));
  return slot == nullptr ? nullptr : *slot;
}

/// The state for the final call, which now owns it; null where no row was seen.
template <typename State>
std::unique_ptr<State> take_aggregate_state(sqlite3_context* context) noexcept {
  auto** slot = static_cast<State**>(sqlite3_aggregate_context(context, 0));
  if (slot == nullptr) return nullptr;
  std::unique_ptr<State> state(*slot);
  *slot = nullptr;
  return state;
}

}  // namespace isovec::db
