#pragma once
// How near two vectors are.

#include <cstdint>
#include <string_view>

namespace isovec::index {

/// The distance that a column is searched by. The values are stored in tables: do not change them.
enum class Metric : std::uint8_t { cosine = 1, l2 = 2, dot = 3, l1 = 4, hamming = 5, jaccard = 6 };

/// As written after distance_metric=.
[[nodiscard]] constexpr std::string_view name_of(Metric metric) noexcept {
  switch (metric) {
    case Metric::cosine:
      return "cosine";
    case Metric::l2:
      return "l2";
    case Metric::dot:
      return "dot";
    case Metric::l1:
      return "l1";
    case Metric::hamming:
      return "hamming";
    case Metric::jaccard:
      return "jaccard";
  }
  return "";
}

/// Whether the metric is one of bit vectors.
[[nodiscard]] constexpr bool is_of_bits(Metric metric) noexcept {
  return metric == Metric::hamming || metric == Metric::jaccard;
}

/// The distance that a score stands for (see Scorer).
[[nodiscard]] constexpr double distance_of(Metric metric, double score) noexcept {
  return metric == Metric::cosine ? 1 - score : score;
}

/// Whether the metric is a function of inner products: such have codes, and a form under a transform.
[[nodiscard]] constexpr bool is_of_products(Metric metric) noexcept {
  return metric == Metric::cosine || metric == Metric::l2 || metric == Metric::dot;
}

}  // namespace isovec::index
