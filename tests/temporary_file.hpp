#pragma once
// A path for a database file that no other test uses, removed with its journals at both ends of its life.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace isovec::test {

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& name) {
    const char* directory = std::getenv("TMPDIR");
    path_ = std::string(directory != nullptr ? directory : "/tmp") + "/isovec_" + name + "_" +
            std::to_string(::getpid()) + ".db";
    remove();
  }
  ~TemporaryFile() { remove(); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  void remove() const {
    for (const char* suffix : {"", "-journal", "-wal", "-shm"}) std::remove((path_ + suffix).c_str());
  }

 private:
  std::string path_;
};

}  // namespace isovec::test
