#pragma once
// Blocks of codes that searches keep in memory, so that the next one need not fetch them page by page from
// SQLite: at most so many bytes a connection. A block is named by its checksum, which changes with every
// change of it, and is believed only in a snapshot whose history is the one it was read in, or whose stored
// checksum is still its own.
//
// The blocks of a column lie one after the other in few large pieces of memory, which Linux is asked to map
// in large pages: a core reads those a quarter faster than the same bytes in pages of 4 KB.

#include <cstddef>
#include <cstdint>
#include <isovec/buffer.hpp>
#include <memory>
#include <span>

#include "db/memory.hpp"

namespace isovec::storage {

class BlockCache;

/// The bytes that the tables of one connection may keep among them. A table takes what is left, and gives all
/// back when others have searched so often since that it is likely not in use.
class CacheBudget {
 public:
  static constexpr std::size_t kBytes = std::size_t{64} << 20;
  /// What a column may take whose blocks do not all fit: keeping a part of them spares a search only that
  /// part.
  static constexpr std::size_t kPartBytes = std::size_t{24} << 20;
  static constexpr std::uint64_t kIdleSearches = 64;

  explicit CacheBudget(std::size_t bytes = kBytes, std::size_t part = kPartBytes) noexcept
      : left_(bytes), part_(part) {}
  [[nodiscard]] std::size_t left() const noexcept { return left_; }
  /// Memory is short: every table gives up what it keeps and is not using, and for some searches none keeps
  /// anything. False where there was nothing to give up.
  bool give_up() noexcept;

 private:
  friend class BlockCache;
  /// How many of `places` more places of so many bytes a column may have that has `taken` bytes already.
  [[nodiscard]] std::size_t take(std::size_t places, std::size_t bytes, std::size_t taken) noexcept;

  std::size_t left_;
  std::size_t part_;
  std::uint64_t searches_ = 0;
  std::uint64_t resume_ = 0;  // the search from which on blocks are kept again
  Buffer<BlockCache*> caches_;
};

class BlockCache {
 public:
  static constexpr std::size_t kAlignment = 64;

  /// Keeps nothing where there is no budget.
  explicit BlockCache(std::shared_ptr<CacheBudget> budget);
  ~BlockCache();
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;

  struct Block {
    std::span<std::byte> bytes;
    std::uint64_t history;  ///< In which it was last known to be what is stored.
  };

  /// While it lives nothing is taken away for others.
  class Use {
   public:
    explicit Use(BlockCache& cache) noexcept;
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    BlockCache& cache_;
  };

  /// Makes room for the blocks of the first `groups` groups of a column, each of at most `bytes` bytes, the
  /// same at every call: for as many as the budget and memory allow.
  void reserve(std::size_t column, std::size_t groups, std::size_t bytes);
  /// Whether every one of the first `groups` groups of a column has room.
  [[nodiscard]] bool holds(std::size_t column, std::size_t groups) const noexcept {
    return column < columns_.size() && columns_[column].blocks.size() >= groups;
  }
  /// What is kept of a group, or null.
  [[nodiscard]] Block* find(std::size_t column, std::int64_t group) noexcept;
  /// Room for a block of so many bytes, at a multiple of kAlignment, in place of what was kept of the group;
  /// empty where none was reserved. The caller fills it.
  [[nodiscard]] std::span<std::byte> keep(std::size_t column, std::int64_t group, std::size_t bytes,
                                          std::uint64_t history) noexcept;
  void clear() noexcept;
  /// See CacheBudget::give_up().
  bool give_up() noexcept { return budget_ && budget_->give_up(); }

 private:
  friend class CacheBudget;
  /// Places for the blocks of groups that follow each other.
  struct Piece {
    db::SqliteBytes memory;
    std::byte* begin;
    std::size_t first;
    std::size_t count;
  };
  struct Column {
    std::size_t place = 0;  // bytes of one
    Buffer<Piece> pieces;
    Buffer<Block> blocks;  // one of each place; empty where nothing is kept
  };
  void fail() noexcept;

  std::shared_ptr<CacheBudget> budget_;
  Buffer<Column> columns_;
  std::uint64_t last_search_ = 0;
  int uses_ = 0;
};

}  // namespace isovec::storage
