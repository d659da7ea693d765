#include "index/ranking.hpp"

#include <algorithm>

namespace isovec::index {

void Ranking::add(Hit hit) {
  if (limit_ == std::size_t{0}) return;
  if (!limit_ || hits_.size() < *limit_) {
    hits_.push_back(hit);
    if (limit_ == hits_.size()) std::make_heap(hits_.begin(), hits_.end(), order_);
    return;
  }
  if (!order_(hit, hits_.front())) return;
  std::pop_heap(hits_.begin(), hits_.end(), order_);
  hits_.back() = hit;
  std::push_heap(hits_.begin(), hits_.end(), order_);
}

void Ranking::sort_more() {
  constexpr std::size_t kFirst = 64;
  const std::size_t rest = hits_.size() - sorted_;
  const std::size_t step = std::min(rest, std::max(kFirst, sorted_));
  const auto begin = hits_.begin() + static_cast<std::ptrdiff_t>(sorted_);
  const auto end = begin + static_cast<std::ptrdiff_t>(step);
  if (step < rest) std::nth_element(begin, end, hits_.end(), order_);
  std::sort(begin, end, order_);
  sorted_ += step;
}

std::optional<Hit> Ranking::next() {
  if (position_ == hits_.size()) return std::nullopt;
  if (position_ == sorted_) sort_more();
  return hits_[position_++];
}

}  // namespace isovec::index
