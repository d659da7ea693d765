#include "core/unit_rows.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <isovec/error.hpp>
#include <numeric>
#include <string>

#include "core/pair_kernels.hpp"
#include "core/similarity.hpp"

namespace isovec::core {

UnitRows::UnitRows(std::size_t dimension)
    : dimension_(dimension), stride_((dimension + kPairAlignment - 1) / kPairAlignment * kPairAlignment) {}

std::size_t UnitRows::chunk_rows(std::size_t index) const noexcept {
  return std::min(kChunkRows, size() - index * kChunkRows);
}

void UnitRows::add(const float* row, std::uint64_t hash) {
  if (size() == chunks_.size() * kChunkRows) chunks_.emplace_back(kChunkRows * stride_);
  hashes_.push_back(hash);
  replace(size() - 1, row, hash);
}

void UnitRows::replace(std::size_t index, const float* row, std::uint64_t hash) noexcept {
  float* const out = chunks_[index / kChunkRows].data() + index % kChunkRows * stride_;
  std::memcpy(out, row, dimension_ * sizeof(float));
  const double length = norm({out, dimension_});
  for (std::size_t i = 0; i < dimension_; ++i) {
    out[i] = static_cast<float>(static_cast<double>(out[i]) / length);
  }
  hashes_[index] = hash;
}

std::uint64_t hash_of_row(std::span<const float> row, std::uint64_t seed) noexcept {
  return XXH3_64bits_withSeed(row.data(), row.size_bytes(), seed);
}

void RowSample::add(std::span<const float> row) {
  if (norm(row) == 0) return;
  ++seen_;
  const std::uint64_t hash = hash_of_row(row, seed_.value_or(0));
  if (rows_.size() < kMostPairedRows) return rows_.add(row.data(), hash);
  if (!seed_) {
    throw Error(Code::too_big, "all pairs of more than " + std::to_string(kMostPairedRows) +
                                   " rows are too many: give a seed to take a sample of that many rows");
  }
  const auto by_hash = [this](std::size_t a, std::size_t b) { return rows_.hash(a) < rows_.hash(b); };
  if (heap_.empty()) {
    heap_.resize(rows_.size());
    std::iota(heap_.begin(), heap_.end(), std::size_t{0});
    std::make_heap(heap_.begin(), heap_.end(), by_hash);
  }
  if (hash >= rows_.hash(heap_.front())) return;
  std::pop_heap(heap_.begin(), heap_.end(), by_hash);
  rows_.replace(heap_.back(), row.data(), hash);
  std::push_heap(heap_.begin(), heap_.end(), by_hash);
}

}  // namespace isovec::core
