#pragma once
// Blocks of codes that searches keep in memory, so that the next one need not fetch them page by page from
// SQLite: at most so many bytes a connection. A block is immutable and named by its checksum, and is believed
// only in a snapshot whose history is the one it was read in, or whose stored checksum is still its own.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "db/api.hpp"

namespace isovec::storage {

class BlockCache;

/// The bytes that the tables of one connection may keep among them. A table takes what is left, and gives all
/// back when others have searched so often since that it is likely not in use.
class CacheBudget {
 public:
  static constexpr std::size_t kBytes = std::size_t{24} << 20;
  static constexpr std::uint64_t kIdleSearches = 64;

  explicit CacheBudget(std::size_t bytes = kBytes) noexcept : left_(bytes) {}
  [[nodiscard]] std::size_t left() const noexcept { return left_; }
  /// Memory is short: every table gives up what it keeps and is not using, and for some searches none keeps
  /// anything. False where there was nothing to give up.
  bool give_up() noexcept;

 private:
  friend class BlockCache;
  [[nodiscard]] bool take(std::size_t bytes) noexcept;

  std::size_t left_;
  std::uint64_t searches_ = 0;
  std::uint64_t resume_ = 0;  // the search from which on blocks are kept again
  std::vector<BlockCache*> caches_;
};

class BlockCache {
 public:
  /// Keeps nothing where there is no budget.
  explicit BlockCache(std::shared_ptr<CacheBudget> budget);
  ~BlockCache();
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;

  struct Block {
    std::span<const std::byte> bytes;
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

  /// What is kept of a group, or null.
  [[nodiscard]] Block* find(std::size_t column, std::int64_t group) noexcept;
  /// Keeps a copy in place of what was kept of the group, if the budget and memory allow. What was found
  /// before may end.
  void keep(std::size_t column, std::int64_t group, std::span<const std::byte> bytes, std::uint64_t history);
  void clear() noexcept;
  /// See CacheBudget::give_up().
  bool give_up() noexcept { return budget_ && budget_->give_up(); }

 private:
  friend class CacheBudget;
  struct Free {
    void operator()(std::byte* bytes) const noexcept { sqlite3_free(bytes); }
  };
  struct Kept {
    std::unique_ptr<std::byte, Free> memory;
    Block block{{}, 0};
  };
  void drop(Kept& kept) noexcept;

  std::shared_ptr<CacheBudget> budget_;
  std::vector<std::vector<Kept>> columns_;  // by column and group
  std::size_t bytes_ = 0;
  std::uint64_t last_search_ = 0;
  int uses_ = 0;
};

}  // namespace isovec::storage
