#pragma once
// Incremental BLOB input and output as a value: closed when it goes.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "db/failure.hpp"

namespace isovec::db {

enum class Access { read, write };

/// An open BLOB of one row of an ordinary table.
class Blob {
 public:
  /// Throws what SQLite says, SQLITE_ERROR where there is no such row.
  Blob(sqlite3* db, const char* schema, const char* table, const char* column, std::int64_t rowid,
       Access access) {
    sqlite3_blob* blob = nullptr;
    const int rc =
        sqlite3_blob_open(db, schema, table, column, rowid, access == Access::write ? 1 : 0, &blob);
    blob_.reset(blob);
    db_ = db;
    check(db, rc);
  }
  /// Nothing where there is no such row, or its value is neither BLOB nor text. Throws on other failures.
  [[nodiscard]] static std::optional<Blob> find(sqlite3* db, const char* schema, const char* table,
                                                const char* column, std::int64_t rowid, Access access) {
    sqlite3_blob* handle = nullptr;
    const int rc =
        sqlite3_blob_open(db, schema, table, column, rowid, access == Access::write ? 1 : 0, &handle);
    if (rc == SQLITE_ERROR) return std::nullopt;
    Blob blob(db, handle);
    check(db, rc);
    return blob;
  }
  [[nodiscard]] std::size_t size() const noexcept {
    return static_cast<std::size_t>(sqlite3_blob_bytes(blob_.get()));
  }
  void reopen(std::int64_t rowid) { check(db_, sqlite3_blob_reopen(blob_.get(), rowid)); }
  /// False where it cannot be moved there: no such row, no BLOB, or the row it was on has changed. Then it is
  /// of no further use. Throws on other failures.
  [[nodiscard]] bool try_reopen(std::int64_t rowid) {
    const int rc = sqlite3_blob_reopen(blob_.get(), rowid);
    if (rc == SQLITE_ERROR || rc == SQLITE_ABORT) return false;
    check(db_, rc);
    return true;
  }
  void read(std::span<std::byte> destination, std::size_t offset) const {
    check(db_, sqlite3_blob_read(blob_.get(), destination.data(), static_cast<int>(destination.size()),
                                 static_cast<int>(offset)));
  }
  void write(std::span<const std::byte> bytes, std::size_t offset) {
    check(db_, sqlite3_blob_write(blob_.get(), bytes.data(), static_cast<int>(bytes.size()),
                                  static_cast<int>(offset)));
  }

 private:
  Blob(sqlite3* db, sqlite3_blob* blob) noexcept : blob_(blob), db_(db) {}
  struct Close {
    void operator()(sqlite3_blob* blob) const noexcept { sqlite3_blob_close(blob); }
  };
  std::unique_ptr<sqlite3_blob, Close> blob_;
  sqlite3* db_ = nullptr;
};

}  // namespace isovec::db
