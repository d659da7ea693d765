#pragma once
// How many slots a table can have. A right checksum does not make a number true: before anything is
// allocated, looped over or written by a number of slots, it is compared with what is there. Every slot takes
// 8 bytes of the slot map and its place in a chunk of each vector column, so the pages of the database bound
// them; where the authorizer hides how many pages there are, the chunks are counted.
//
// Everything else that is counted follows from slots: rows, pages, chunks, groups and norms. The number of
// slots is looked at where it is read: Store::state() for the state, rebuild() for the rows.

#include <cstdint>

#include "storage/statements.hpp"

namespace isovec::storage {

class SlotBound {
 public:
  explicit SlotBound(const TableShape& shape) noexcept : shape_(shape) {}
  /// Whether there is room for so many slots. Costs nothing while there are no more than were found possible
  /// before.
  [[nodiscard]] bool allows(sqlite3* db, std::int64_t slots);

 private:
  [[nodiscard]] std::int64_t measure(sqlite3* db) const;
  const TableShape& shape_;
  std::int64_t known_ = 0;  // as many were possible when last measured
};

}  // namespace isovec::storage
