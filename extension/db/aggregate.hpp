#pragma once
// The state of an aggregate as a C++ object: made by the first step, destroyed by the final call whatever
// happens, or by a step that fails. SQLite runs the final call after a failed step too, and what that step
// left half made must not be read.

#include <memory>
#include <new>
#include <utility>

#include "db/failure.hpp"

namespace isovec::db {

/// What SQLite keeps for a running aggregate, zeroed at its start.
struct AggregateSlot {
  void* state;
  void (*destroy)(void*) noexcept;
  bool failed;
};

/// The slot, made where `make` is set and there is none; null where there is none.
inline AggregateSlot* aggregate_slot(sqlite3_context* context, bool make) noexcept {
  return static_cast<AggregateSlot*>(sqlite3_aggregate_context(context, make ? sizeof(AggregateSlot) : 0));
}

/// The state of the running aggregate, made when there is none. Throws std::bad_alloc, and Error where an
/// earlier step has failed.
template <typename State>
State& aggregate_state(sqlite3_context* context) {
  AggregateSlot* const slot = aggregate_slot(context, true);
  if (slot == nullptr) throw std::bad_alloc();
  if (slot->failed) throw Error(Code::invalid_argument, "an earlier row has failed");
  if (slot->state == nullptr) {
    slot->state = new State();
    slot->destroy = [](void* state) noexcept { delete static_cast<State*>(state); };
  }
  return *static_cast<State*>(slot->state);
}

/// The state for a value that leaves it in place (window functions), or null before the first step and after
/// a failed one.
template <typename State>
State* peek_aggregate_state(sqlite3_context* context) noexcept {
  const AggregateSlot* const slot = aggregate_slot(context, false);
  return slot == nullptr ? nullptr : static_cast<State*>(slot->state);
}

/// The state for the final call, which now owns it; null where no row was seen and after a failed step.
template <typename State>
std::unique_ptr<State> take_aggregate_state(sqlite3_context* context) noexcept {
  AggregateSlot* const slot = aggregate_slot(context, false);
  if (slot == nullptr) return nullptr;
  std::unique_ptr<State> state(static_cast<State*>(slot->state));
  slot->state = nullptr;
  return state;
}

/// Runs the body of a step. Where it throws, the state is destroyed, and no later call sees one.
template <typename Body>
void run_step(sqlite3_context* context, Body&& body) {
  try {
    std::forward<Body>(body)();
  } catch (...) {
    if (AggregateSlot* const slot = aggregate_slot(context, true); slot != nullptr) {
      if (slot->state != nullptr) slot->destroy(slot->state);
      slot->state = nullptr;
      slot->failed = true;
    }
    throw;
  }
}

}  // namespace isovec::db
