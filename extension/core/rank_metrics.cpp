#include "core/rank_metrics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/work.hpp"

namespace isovec::core {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

template <class Compare>
Buffer<std::size_t> sorted_indices(std::size_t n, Work& work, Compare compare) {
  Buffer<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  sort(order.begin(), order.end(), work, compare);
  return order;
}

// The exponent of a power of two to divide by, so that squares and sums of the values neither overflow nor
// vanish.
int scale_of(std::span<const double> values) {
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  return largest == 0 ? 0 : std::ilogb(largest);
}

Buffer<double> scaled(std::span<const double> values, Work& work) {
  const int exponent = scale_of(values);
  Buffer<double> result;
  result.reserve(values.size());
  for (const double value : values) {
    result.push_back(std::ldexp(value, -exponent));
    work.done(8);
  }
  return result;
}

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Calls f(begin, end, order) for each run of equal scores in descending order.
template <class F>
void for_each_tie(std::span<const double> scores, Work& work, F f) {
  const Buffer<std::size_t> order = sorted_indices(
      scores.size(), work, [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && scores[order[end]] == scores[order[begin]]) ++end;
    f(begin, end, order);
    work.done(8 * (end - begin));
  }
}

double discount(std::size_t position) {
  return 1 / std::log2(static_cast<double>(position) + 2);
}

double ideal_gain(std::span<const double> gains, std::size_t k, Work& work) {
  Buffer<double> sorted(gains.begin(), gains.end());
  sort(sorted.begin(), sorted.end(), work, std::greater<>());
  double ideal = 0;
  for (std::size_t i = 0; i < std::min(k, sorted.size()); ++i) {
    ideal += sorted[i] * discount(i);
    work.done(16);
  }
  return ideal;
}

}  // namespace

Buffer<double> mid_ranks(std::span<const double> values, const Checkpoint& checkpoint) {
  Work work(checkpoint);
  Buffer<double> ranks(values.size());
  for_each_tie(values, work, [&](std::size_t begin, std::size_t end, const Buffer<std::size_t>& order) {
    // Descending places begin ... end - 1 are ascending ranks n - begin ... n - end + 1.
    const double rank = static_cast<double>(values.size()) - static_cast<double>(begin + end - 1) / 2;
    for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = rank;
  });
  return ranks;
}

double pearson(std::span<const double> all_x, std::span<const double> all_y, const Checkpoint& checkpoint) {
  if (all_x.size() < 2) return kUndefined;
  Work work(checkpoint);
  const Buffer<double> x = scaled(all_x, work), y = scaled(all_y, work);
  const double mean_x = mean_of(x), mean_y = mean_of(y);
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
    work.done(8);
  }
  if (xx == 0 || yy == 0) return kUndefined;
  const double product = xx * yy;  // one root where that is safe, so that equal columns give exactly 1
  const bool safe = std::isnormal(product);
  return std::clamp(xy / (safe ? std::sqrt(product) : std::sqrt(xx) * std::sqrt(yy)), -1.0, 1.0);
}

double spearman(std::span<const double> x, std::span<const double> y, const Checkpoint& checkpoint) {
  return pearson(mid_ranks(x, checkpoint), mid_ranks(y, checkpoint), checkpoint);
}

double ndcg(std::span<const double> scores, std::span<const double> all_gains, std::size_t k,
            const Checkpoint& checkpoint) {
  Work work(checkpoint);
  const Buffer<double> gains = scaled(all_gains, work);
  const double ideal = ideal_gain(gains, k, work);
  if (!(ideal > 0)) return kUndefined;
  double gain = 0;
  for_each_tie(scores, work, [&](std::size_t begin, std::size_t end, const Buffer<std::size_t>& order) {
    if (begin >= k) return;
    double shared = 0, discounts = 0;
    for (std::size_t i = begin; i < end; ++i) shared += gains[order[i]];
    for (std::size_t i = begin; i < std::min(end, k); ++i) discounts += discount(i);
    gain += shared / static_cast<double>(end - begin) * discounts;
  });
  return gain / ideal;
}

double recall(std::span<const double> scores, std::span<const double> relevant, std::size_t k,
              const Checkpoint& checkpoint) {
  Work work(checkpoint);
  double found = 0, total = 0;
  for_each_tie(scores, work, [&](std::size_t begin, std::size_t end, const Buffer<std::size_t>& order) {
    double tied = 0;
    for (std::size_t i = begin; i < end; ++i) tied += relevant[order[i]] > 0 ? 1 : 0;
    total += tied;
    if (begin >= k) return;
    const double share = static_cast<double>(std::min(end, k) - begin) / static_cast<double>(end - begin);
    found += tied * share;
  });
  return total > 0 ? found / total : kUndefined;
}

}  // namespace isovec::core
