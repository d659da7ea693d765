#pragma once
// A disk in memory that remembers what was done to its files, and tells what a power cut would have left of
// them.

#include <sqlite3.h>

#include <cstddef>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace isovec::test {

/// A VFS of SQLite: a database is on it that was opened as "file:/name?vfs=<name of the disk>", by one
/// connection at a time.
class LossyDisk {
 public:
  using Files = std::map<std::string, std::string>;

  explicit LossyDisk(const std::string& name);
  ~LossyDisk();
  LossyDisk(const LossyDisk&) = delete;
  LossyDisk& operator=(const LossyDisk&) = delete;

  /// Has these files and no others, all of them safe, and no history.
  void hold(Files files);
  [[nodiscard]] const Files& files() const noexcept { return files_; }
  /// Writes, truncations, syncs and deletions since hold().
  [[nodiscard]] std::size_t actions() const noexcept { return history_.size(); }
  /// The files after a power cut behind so many actions. What was synced is there; of what was written after
  /// that each sector is there, or not, or garbage, as `random` has it.
  [[nodiscard]] Files after_cut(std::size_t actions, std::mt19937& random) const;

  // What SQLite calls.
  enum class Kind { write, truncate, sync, erase };
  struct Action {
    Kind kind;
    std::string file;
    std::size_t offset = 0;  ///< Of a write; of a truncation the new size.
    std::string bytes = {};
  };
  void act(Action action);
  [[nodiscard]] bool has(const std::string& file) const { return files_.count(file) != 0; }
  std::string& content(const std::string& file) { return files_[file]; }

 private:
  std::string name_;
  sqlite3_vfs vfs_;
  Files files_;
  Files safe_;  // as they were at hold()
  std::vector<Action> history_;
};

}  // namespace isovec::test
