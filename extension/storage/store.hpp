#pragma once
// One isovec table as it is stored: what the surface reads and changes it through. A change is first worked
// out and checked against all it touches, then written (change.hpp).

#include <cstdint>
#include <isovec/buffer.hpp>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>

#include "index/deferred_blocks.hpp"
#include "storage/block_cache.hpp"
#include "storage/row_store.hpp"
#include "storage/slot_bound.hpp"
#include "storage/slot_map.hpp"
#include "storage/state.hpp"
#include "storage/statements.hpp"
#include "storage/transform_store.hpp"

namespace isovec::storage {

/// What a row shall be. On an update a null value, a missing vector and a missing id keep what is there.
struct RowValues {
  std::optional<std::int64_t> id;    ///< On an insert, none lets the table choose.
  Buffer<sqlite3_value*> values;     ///< One per column of row_columns().
  Buffer<sqlite3_value*> auxiliary;  ///< One per auxiliary column.
  /// One per vector column: its elements, checked; none of them where the vector is NULL.
  Buffer<std::optional<std::span<const std::byte>>> vectors;
};

/// What is known of the rows of a column under a transform that came with a query.
struct GivenNorms {
  std::uint64_t transform = 0;  ///< The checksum of its BLOB.
  std::uint64_t history = 0;    ///< State::history of the rows.
  Buffer<double> images;        ///< |W (x - mean)|, by slot.
  Buffer<float> lengths;        ///< index::lengths_of() the rows, by slot.
};

/// Of one column, kept between searches; nothing in it is believed without the bytes it was made from.
struct ReadCache {
  struct Norm {
    std::uint64_t checksum = 0;  ///< Of the vector, under its slot and row.
    double norm = 0;
  };
  std::uint64_t transforms = 0;                  ///< State::transforms of the norms.
  std::unordered_map<std::int64_t, Norm> norms;  ///< By slot, of rows behind the complete groups.
  /// Under the last transform that came with a query, or null.
  std::shared_ptr<const GivenNorms> given;
  Buffer<std::uint64_t> verified_blocks;  ///< By group: the checksum of a block that was verified.
  index::DeferredBlocks deferred;         ///< Memory for a search.
  bool was_searched = false;              ///< By codes, since the table was opened.
};

/// A page as it was written. It holds where the history still is the one that it was written in.
struct LastSlotPage {
  std::optional<SlotPage> page;
  std::uint64_t history = 0;
};

/// What to do with the row that has the id or key already.
enum class OnConflict { fail, replace };

class Store {
 public:
  /// Without a budget no blocks are kept in memory.
  Store(sqlite3* db, TableShape shape, std::shared_ptr<CacheBudget> budget = nullptr)
      : db_(db),
        shape_(std::move(shape)),
        statements_(db, shape_),
        verifier_(shape_),
        slot_bound_(shape_),
        blocks_(std::move(budget)) {}
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  [[nodiscard]] sqlite3* connection() const noexcept { return db_; }
  [[nodiscard]] const TableShape& shape() const noexcept { return shape_; }
  [[nodiscard]] Statements& statements() noexcept { return statements_; }
  [[nodiscard]] const RowVerifier& verifier() const noexcept { return verifier_; }

  /// The state of the snapshot at hand. On the first call and after each change of the schema it looks at the
  /// shadow tables as verify_tables() does, so nothing is read or written before that has passed. Its slots
  /// are no more than the database has room for, so memory and loops may follow them.
  [[nodiscard]] State state();
  /// Whether the database is large enough for so many slots.
  [[nodiscard]] bool has_room_for(std::int64_t slots) { return slot_bound_.allows(db_, slots); }
  /// The transform fitted to a column in the snapshot that `state` is of, or null.
  [[nodiscard]] std::shared_ptr<const Transform> transform(std::size_t column, const State& state) {
    return transforms_.get(statements_, shape_, column, state);
  }
  /// What codes the rows of a column and the queries for them in that snapshot; valid until the next call.
  [[nodiscard]] const index::RowCoder& coder(std::size_t column, const State& state) {
    return transforms_.coder(statements_, shape_, column, state);
  }
  /// What readers know of earlier ones.
  [[nodiscard]] ReadCache& read_cache(std::size_t column) {
    read_caches_.resize(shape_.vectors.size());
    return read_caches_[column];
  }

  [[nodiscard]] BlockCache& blocks() noexcept { return blocks_; }
  /// The page of the slot map that the last change wrote, for the next one.
  [[nodiscard]] LastSlotPage& last_slot_page() noexcept { return last_slot_page_; }

  /// Adds a row and returns its id. Throws SqliteFailure(SQLITE_CONSTRAINT_*) before anything is changed
  /// where the id or key is taken and is not to be replaced.
  std::int64_t insert(const RowValues& row, OnConflict on_conflict);
  /// Changes the row `id`.
  void update(std::int64_t id, const RowValues& row, OnConflict on_conflict);
  void erase(std::int64_t id);

  /// Renames the shadow tables.
  void rename(const std::string& new_name);
  /// Closes what is prepared; it is prepared anew when needed.
  void release() noexcept { statements_.clear(); }

 private:
  [[noreturn]] void fail_unique(bool of_key) const;
  void verify_once();
  [[nodiscard]] State read_state();

  sqlite3* db_;
  TableShape shape_;
  Statements statements_;
  RowVerifier verifier_;
  SlotBound slot_bound_;
  TransformCache transforms_;
  Buffer<ReadCache> read_caches_;  // by column
  BlockCache blocks_;
  LastSlotPage last_slot_page_;
  bool verified_ = false;
  bool reads_state_ = false;
};

}  // namespace isovec::storage
