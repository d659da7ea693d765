#include "storage/block_cache.hpp"

#include <algorithm>
#include <memory>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace isovec::storage {
namespace {

// Of those that lie in it altogether; a kernel that has none refuses, and nothing is lost.
void advise_large_pages([[maybe_unused]] std::byte* memory, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(__linux__)
  constexpr std::size_t kLargePage = std::size_t{2} << 20;
  void* begin = memory;
  if (std::align(kLargePage, kLargePage, begin, bytes) == nullptr) return;
  madvise(begin, bytes / kLargePage * kLargePage, MADV_HUGEPAGE);
#endif
}

}  // namespace

bool CacheBudget::give_up() noexcept {
  resume_ = searches_ + kIdleSearches;
  const std::size_t before = left_;
  for (BlockCache* cache : caches_) {
    if (cache->uses_ == 0) cache->clear();
  }
  return left_ > before;
}

std::size_t CacheBudget::take(std::size_t places, std::size_t bytes, std::size_t taken) noexcept {
  if (searches_ < resume_) return 0;
  for (BlockCache* cache : caches_) {
    if (places <= left_ / bytes) break;
    if (cache->uses_ == 0 && searches_ - cache->last_search_ > kIdleSearches) cache->clear();
  }
  if (places > left_ / bytes) {
    const std::size_t part = taken < part_ ? part_ - taken : 0;
    places = std::min(left_, part) / bytes;
  }
  left_ -= places * bytes;
  return places;
}

BlockCache::BlockCache(std::shared_ptr<CacheBudget> budget) : budget_(std::move(budget)) {
  if (budget_) budget_->caches_.push_back(this);
}

BlockCache::~BlockCache() {
  clear();
  if (budget_) std::erase(budget_->caches_, this);
}

BlockCache::Use::Use(BlockCache& cache) noexcept : cache_(cache) {
  ++cache_.uses_;
  if (cache_.budget_) cache_.last_search_ = ++cache_.budget_->searches_;
}

BlockCache::Use::~Use() {
  --cache_.uses_;
}

// Memory is short: a search does without, and leaves what there is to others.
void BlockCache::fail() noexcept {
  if (uses_ <= 1) clear();
  budget_->give_up();
}

void BlockCache::reserve(std::size_t column, std::size_t groups, std::size_t bytes) {
  if (!budget_ || bytes == 0) return;
  if (columns_.size() <= column) columns_.resize(column + 1);
  Column& c = columns_[column];
  const std::size_t first = c.blocks.size();
  if (groups <= first) return;
  c.place = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  c.pieces.reserve(c.pieces.size() + 1);
  c.blocks.reserve(groups);
  const std::size_t count = budget_->take(groups - first, c.place, first * c.place);
  if (count == 0) return;
  std::size_t space = count * c.place + kAlignment;
  db::SqliteBytes memory = db::try_allocate_bytes(space);
  if (!memory) {
    budget_->left_ += count * c.place;
    return fail();
  }
  advise_large_pages(memory.get(), space);
  void* aligned = memory.get();
  auto* const begin = static_cast<std::byte*>(std::align(kAlignment, count * c.place, aligned, space));
  c.pieces.push_back({std::move(memory), begin, first, count});
  c.blocks.resize(first + count, Block{{}, 0});
}

BlockCache::Block* BlockCache::find(std::size_t column, std::int64_t group) noexcept {
  const auto place = static_cast<std::size_t>(group);
  if (column >= columns_.size() || place >= columns_[column].blocks.size()) return nullptr;
  Block& block = columns_[column].blocks[place];
  return block.bytes.empty() ? nullptr : &block;
}

std::span<std::byte> BlockCache::keep(std::size_t column, std::int64_t group, std::size_t bytes,
                                      std::uint64_t history) noexcept {
  const auto place = static_cast<std::size_t>(group);
  if (column >= columns_.size()) return {};
  Column& c = columns_[column];
  if (place >= c.blocks.size()) return {};
  c.blocks[place] = {{}, 0};
  if (bytes > c.place) return {};
  const auto after = std::upper_bound(c.pieces.begin(), c.pieces.end(), place,
                                      [](std::size_t at, const Piece& piece) { return at < piece.first; });
  const Piece& piece = *std::prev(after);
  const std::span<std::byte> room(piece.begin + (place - piece.first) * c.place, bytes);
  c.blocks[place] = {room, history};
  return room;
}

void BlockCache::clear() noexcept {
  for (const Column& column : columns_) budget_->left_ += column.blocks.size() * column.place;
  columns_.clear();
}

}  // namespace isovec::storage
