#include "storage/block_cache.hpp"

#include <algorithm>
#include <cstring>

namespace isovec::storage {

bool CacheBudget::give_up() noexcept {
  resume_ = searches_ + kIdleSearches;
  const std::size_t before = left_;
  for (BlockCache* cache : caches_) {
    if (cache->uses_ == 0) cache->clear();
  }
  return left_ > before;
}

bool CacheBudget::take(std::size_t bytes) noexcept {
  if (searches_ < resume_) return false;
  for (BlockCache* cache : caches_) {
    if (bytes <= left_) break;
    if (cache->uses_ == 0 && searches_ - cache->last_search_ > kIdleSearches) cache->clear();
  }
  if (bytes > left_) return false;
  left_ -= bytes;
  return true;
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

BlockCache::Block* BlockCache::find(std::size_t column, std::int64_t group) noexcept {
  const auto place = static_cast<std::size_t>(group);
  if (column >= columns_.size() || place >= columns_[column].size()) return nullptr;
  Kept& kept = columns_[column][place];
  return kept.memory ? &kept.block : nullptr;
}

void BlockCache::keep(std::size_t column, std::int64_t group, std::span<const std::byte> bytes,
                      std::uint64_t history) {
  if (!budget_ || bytes.empty()) return;
  const auto place = static_cast<std::size_t>(group);
  if (columns_.size() <= column) columns_.resize(column + 1);
  if (columns_[column].size() <= place) columns_[column].resize(place + 1);
  Kept& kept = columns_[column][place];
  drop(kept);
  if (!budget_->take(bytes.size())) return;
  kept.memory.reset(static_cast<std::byte*>(sqlite3_malloc64(bytes.size())));
  if (!kept.memory) {  // a search does without, and leaves what there is to others
    budget_->left_ += bytes.size();
    if (uses_ <= 1) clear();
    budget_->give_up();
    return;
  }
  std::memcpy(kept.memory.get(), bytes.data(), bytes.size());
  kept.block = {{kept.memory.get(), bytes.size()}, history};
  bytes_ += bytes.size();
}

void BlockCache::drop(Kept& kept) noexcept {
  if (!kept.memory) return;
  bytes_ -= kept.block.bytes.size();
  budget_->left_ += kept.block.bytes.size();
  kept.memory.reset();
}

void BlockCache::clear() noexcept {
  for (std::vector<Kept>& column : columns_) {
    for (Kept& kept : column) drop(kept);
  }
  columns_.clear();
}

}  // namespace isovec::storage
