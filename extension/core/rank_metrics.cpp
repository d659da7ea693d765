#include "core/rank_metrics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace isovec::core {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

template <class Compare>
Buffer<std::size_t> sorted_indices(std::size_t n, Compare compare) {
  Buffer<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), compare);
  return order;
}

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Calls f(begin, end, order) for each run of equal scores in descending order.
template <class F>
void for_each_tie(std::span<const double> scores, F f) {
  const Buffer<std::size_t> order =
      sorted_indices(scores.size(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && scores[order[end]] == scores[order[begin]]) ++end;
    f(begin, end, order);
  }
}

double discount(std::size_t position) {
  return 1 / std::log2(static_cast<double>(position) + 2);
}

double ideal_gain(std::span<const double> gains, std::size_t k) {
  Buffer<double> sorted(gains.begin(), gains.end());
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  double ideal = 0;
  for (std::size_t i = 0; i < std::min(k, sorted.size()); ++i) ideal += sorted[i] * discount(i);
  return ideal;
}

}  // namespace

Buffer<double> mid_ranks(std::span<const double> values) {
  Buffer<double> ranks(values.size());
  for_each_tie(values, [&](std::size_t begin, std::size_t end, const Buffer<std::size_t>& order) {
    // Descending places begin ... end - 1 are ascending ranks n - begin ... n - end + 1.
    const double rank = static_cast<double>(values.size()) - static_cast<double>(begin + end - 1) / 2;
    for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = rank;
  });
  return ranks;
}

double pearson(std::span<const double> x, std::span<const double> y) {
  if (x.size() < 2) return kUndefined;
  const double mean_x = mean_of(x), mean_y = mean_of(y);
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  if (xx == 0 || yy == 0) return kUndefined;
  const double product = xx * yy;  // one root where that is safe, so that equal columns give exactly 1
  const bool safe = std::isnormal(product);
  return std::clamp(xy / (safe ? std::sqrt(product) : std::sqrt(xx) * std::sqrt(yy)), -1.0, 1.0);
}

double spearman(std::span<const double> x, std::span<const double> y) {
  return pearson(mid_ranks(x), mid_ranks(y));
}

double ndcg(std::span<const double> scores, std::span<const double> gains, std::size_t k) {
  const double ideal = ideal_gain(gains, k);
  if (!(ideal > 0)) return kUndefined;
  double gain = 0;
  for_each_tie(scores, [&](std::size_t begin, std::size_t end, const Buffer<std::size_t>& order) {
    if (begin >= k) return;
    double shared = 0, discounts = 0;
    for (std::size_t i = begin; i < end; ++i) shared += gains[order[i]];
    for (std::size_t i = begin; i < std::min(end, k); ++i) discounts += discount(i);
    gain += shared / static_cast<double>(end - begin) * discounts;
  });
  return gain / ideal;
}

double recall(std::span<const double> scores, std::span<const double> relevant, std::size_t k) {
  double found = 0, total = 0;
  for_each_tie(scores, [&](std::size_t begin, std::size_t end, const Buffer<std::size_t>& order) {
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
