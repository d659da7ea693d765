#pragma once
// When long work asks whether it shall stop.

#include <algorithm>
#include <cstddef>
#include <isovec/checkpoint.hpp>

namespace isovec::core {

/// Asks a checkpoint each time that about a quarter of a million numbers were visited: a fraction of a
/// millisecond. The checkpoint must outlive it.
class Work {
 public:
  explicit Work(const Checkpoint& checkpoint) noexcept : checkpoint_(checkpoint) {}
  /// Whether there is a checkpoint to ask, and so a reason to cut work into pieces.
  [[nodiscard]] bool asks() const noexcept { return static_cast<bool>(checkpoint_); }
  /// So many numbers more were visited.
  void done(std::size_t numbers) {
    since_ += numbers;
    if (since_ < kBetween) return;
    since_ = 0;
    if (checkpoint_) checkpoint_();
  }

 private:
  static constexpr std::size_t kBetween = 250'000;
  const Checkpoint& checkpoint_;
  std::size_t since_ = 0;
};

/// std::sort that can be stopped; what is left then is in no order. Requires elements that are plain numbers.
template <typename Iterator, typename Less>
void sort(Iterator begin, Iterator end, Work& work, Less less) {
  std::sort(begin, end, [&](const auto& a, const auto& b) {
    work.done(8);
    return less(a, b);
  });
}

}  // namespace isovec::core
