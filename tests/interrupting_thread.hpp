#pragma once
// sqlite3_interrupt() from another thread, at a moment that is told by work and not by a clock: when SQLite
// has asked a connection's progress handler for the n-th time.

#include <atomic>
#include <thread>

#include "connection.hpp"

namespace isovec::test {

class InterruptingThread {
 public:
  /// How many steps of SQLite's virtual machine lie between two calls of the handler; a checkpoint takes
  /// about four.
  static constexpr int kSteps = 4;

  /// Interrupts at the n-th call from now on; at none where n is 0.
  InterruptingThread(Connection& db, long n) : db_(db.handle()), at_(n), thread_([this] { interrupt(); }) {
    sqlite3_progress_handler(
        db_, kSteps, [](void* self) { return static_cast<InterruptingThread*>(self)->ask(); }, this);
  }
  ~InterruptingThread() {
    sqlite3_progress_handler(db_, 0, nullptr, nullptr);
    if (state_ == kWaiting) tell(kStopped);
    thread_.join();
  }
  InterruptingThread(const InterruptingThread&) = delete;
  InterruptingThread& operator=(const InterruptingThread&) = delete;
  /// How often the handler was called.
  [[nodiscard]] long calls() const noexcept { return calls_; }

 private:
  enum State : int { kWaiting, kAsked, kInterrupted, kStopped };
  int ask() {
    if (++calls_ == at_) {
      tell(kAsked);
      state_.wait(kAsked);
    }
    return 0;
  }
  void interrupt() {
    state_.wait(kWaiting);
    if (state_ == kStopped) return;
    sqlite3_interrupt(db_);
    tell(kInterrupted);
  }
  void tell(State state) {
    state_ = state;
    state_.notify_all();
  }

  sqlite3* db_;
  long at_;
  long calls_ = 0;
  std::atomic<int> state_{kWaiting};
  std::thread thread_;
};

}  // namespace isovec::test
