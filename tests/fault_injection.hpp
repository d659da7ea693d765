#pragma once
// Faults on demand: the n-th allocation of SQLite, the n-th allocation of C++ code, or the n-th read, write,
// truncation, deletion or sync of a file fails, once or from there on. No sync ever reaches the disk: there
// is no power cut here, and a real one takes too long.

#include <cstddef>

namespace isovec::test {

enum class Fault { sqlite_memory, cpp_memory, file_read, file_write, file_truncate, file_delete, file_sync };
enum class Repeat { once, from_then_on };

/// Makes SQLite's allocator and file functions ours. Call before anything else of SQLite.
void install_faults();
/// From now on the n-th call (counted from 0) of this kind fails.
void arm(Fault fault, long n, Repeat repeat);
/// Back to normal; how many calls failed.
long disarm();
/// Allocations that are not freed, of SQLite and of C++ code.
struct Outstanding {
  long sqlite = 0;
  long cpp = 0;
};
Outstanding outstanding();

}  // namespace isovec::test
