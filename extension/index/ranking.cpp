#include "index/ranking.hpp"

#include <algorithm>

#include "index/scorer.hpp"

namespace isovec::index {

bool Ranking::nearer(const Hit& a, const Hit& b) const noexcept {
  const double distance_a = distance_of(metric_, a.score);
  const double distance_b = distance_of(metric_, b.score);
  return distance_a != distance_b ? distance_a < distance_b : a.rowid < b.rowid;
}

void Ranking::add(Hit hit) {
  if (limit_ == std::size_t{0}) return;
  const auto order = [this](const Hit& a, const Hit& b) { return nearer(a, b); };
  if (!limit_ || hits_.size() < *limit_) {
    hits_.push_back(hit);
    if (limit_ == hits_.size()) std::make_heap(hits_.begin(), hits_.end(), order);
    return;
  }
  if (!nearer(hit, hits_.front())) return;
  std::pop_heap(hits_.begin(), hits_.end(), order);
  hits_.back() = hit;
  std::push_heap(hits_.begin(), hits_.end(), order);
}

void Ranking::sort_more() {
  constexpr std::size_t kFirst = 64;
  const auto order = [this](const Hit& a, const Hit& b) { return nearer(a, b); };
  const std::size_t rest = hits_.size() - sorted_;
  const std::size_t step = std::min(rest, std::max(kFirst, sorted_));
  const auto begin = hits_.begin() + static_cast<std::ptrdiff_t>(sorted_);
  const auto end = begin + static_cast<std::ptrdiff_t>(step);
  if (step < rest) std::nth_element(begin, end, hits_.end(), order);
  std::sort(begin, end, order);
  sorted_ += step;
}

std::optional<Hit> Ranking::next() {
  if (position_ == hits_.size()) return std::nullopt;
  if (position_ == sorted_) sort_more();
  return hits_[position_++];
}

}  // namespace isovec::index
