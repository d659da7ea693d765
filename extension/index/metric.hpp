#pragma once
// How near two vectors are.

#include <cstdint>
#include <string_view>

namespace isovec::index {

/// The distance that a column is searched by. The values are stored in tables: do not change them.
enum class Metric : std::uint8_t { cosine = 1, l2 = 2, dot = 3 };

/// As written after distance_metric=.
[[nodiscard]] constexpr std::string_view name_of(Metric metric) noexcept {
  switch (metric) {
    case Metric::cosine:
      return "cosine";
    case Metric::l2:
      return "l2";
    case Metric::dot:
      return "dot";
  }
  return "";
}

}  // namespace isovec::index
