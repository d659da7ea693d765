#include "index/candidates.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace isovec::index {
namespace {

bool nearer(const Candidate& a, const Candidate& b) noexcept {
  return a.least != b.least ? a.least < b.least : a.slot < b.slot;
}

/// Floats that are not above the bounds, a unit or two below them: without a branch, which would be taken
/// half the time.
codec::PerRow<float> rounded_down(const codec::PerRow<double>& bounds) noexcept {
  constexpr double kLargest = std::numeric_limits<float>::max();
  codec::PerRow<float> floats;
  for (std::size_t row = 0; row < floats.size(); ++row) {
    // Rounding to float32 adds at most 2^-24 of the magnitude, or 2^-150.
    const double below = bounds[row] - (std::abs(bounds[row]) * 0x1p-23 + 0x1p-149);
    floats[row] = static_cast<float>(below < kLargest ? below : kLargest);
  }
  return floats;
}

}  // namespace

void Candidates::add(const codec::RowMask& rows, const codec::PerRow<double>& least,
                     const codec::PerRow<std::uint32_t>& slots, double limit) {
  constexpr std::size_t kFew = 16;
  if (rows.count() <= kFew) {
    codec::for_each_row(rows, [&](std::size_t row) {
      if (least[row] <= limit) add({round_down(least[row]), slots[row]});
    });
    return;
  }
  const codec::PerRow<float> floats = rounded_down(least);
  const std::size_t before = rows_.size();
  rows_.resize(before + codec::kBlockRows);
  Candidate* next = rows_.data() + before;
  for (std::size_t w = 0; w < rows.words().size(); ++w) {
    const std::uint64_t bits = rows.words()[w];
    for (std::size_t i = 0; i < 64; ++i) {
      const std::size_t row = 64 * w + i;
      *next = {floats[row], slots[row]};
      next += (bits >> i & 1) & static_cast<std::uint64_t>(least[row] <= limit);
    }
  }
  rows_.resize(static_cast<std::size_t>(next - rows_.data()));
}

void Thresholds::add(double most) {
  if (!(most < static_cast<double>(limit_)) || count_ == 0) return;
  if (heap_.size() == count_) {
    std::pop_heap(heap_.begin(), heap_.end());
    heap_.back() = round_up(most);
  } else {
    heap_.push_back(round_up(most));
  }
  std::push_heap(heap_.begin(), heap_.end());
  if (heap_.size() == count_) limit_ = heap_.front();
}

void Thresholds::clear() noexcept {
  heap_.clear();
  limit_ = std::numeric_limits<float>::infinity();
}

void Candidates::drop_above(float limit) {
  std::erase_if(rows_, [limit](const Candidate& row) { return row.least > limit; });
}

void Candidates::clear() noexcept {
  rows_.clear();
  rows_.shrink_to_fit();
  sorted_ = 0;
  position_ = 0;
  rest_from_ = -std::numeric_limits<float>::infinity();
}

std::size_t Candidates::begin(float limit) {
  const auto near_end = std::partition(rows_.begin(), rows_.end(),
                                       [limit](const Candidate& row) { return row.least <= limit; });
  const auto near_count = static_cast<std::size_t>(near_end - rows_.begin());
  // A large part is sorted as it is reached, like the rest.
  constexpr std::size_t kSortedAtOnce = 4'096;
  if (near_count <= kSortedAtOnce) {
    std::sort(rows_.begin(), near_end, nearer);
    sorted_ = near_count;
    rest_from_ = limit;
  }
  return near_count;
}

// The nearest of the rest: those up to a pivot that a sample says about `wanted` are not beyond. One pass
// over the rest, its branch almost always the same way, where selecting exactly so many takes several.
std::size_t Candidates::partition_rest(std::size_t wanted) {
  constexpr std::size_t kSample = 256;
  const auto begin = rows_.begin() + static_cast<std::ptrdiff_t>(sorted_);
  const std::size_t rest = rows_.size() - sorted_;
  std::array<Candidate, kSample> sample;
  for (std::size_t i = 0; i < kSample; ++i) sample[i] = rows_[sorted_ + i * (rest / kSample)];
  const auto pivot = sample.begin() + static_cast<std::ptrdiff_t>(kSample * wanted / rest);
  std::nth_element(sample.begin(), pivot, sample.end(), nearer);
  const auto end =
      std::partition(begin, rows_.end(), [&](const Candidate& row) { return !nearer(*pivot, row); });
  return static_cast<std::size_t>(end - begin);
}

void Candidates::sort_more() {
  constexpr std::size_t kFirst = 1'024;
  const std::size_t rest = rows_.size() - sorted_;
  const std::size_t wanted = std::max(kFirst, sorted_);
  const std::size_t step = wanted < rest / 2 ? partition_rest(wanted) : rest;
  const auto begin = rows_.begin() + static_cast<std::ptrdiff_t>(sorted_);
  std::sort(begin, begin + static_cast<std::ptrdiff_t>(step), nearer);
  sorted_ += step;
  rest_from_ = rows_[sorted_ - 1].least;
}

std::span<Candidate> Candidates::take(std::size_t most, double limit) {
  if (position_ == sorted_) sort_more();
  const std::size_t begin = position_++;
  while (position_ < sorted_ && position_ - begin < most && rows_[position_].least <= limit) ++position_;
  return std::span(rows_).subspan(begin, position_ - begin);
}

}  // namespace isovec::index
