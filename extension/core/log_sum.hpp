#pragma once
// log of a sum of exponentials whose terms may leave again.

#include <cstdint>
#include <map>

#include "core/vector_sum.hpp"

namespace isovec::core {

/// log(exp(x_1) + ... + exp(x_n)). Terms of like size are summed together, scaled to be near 1 and with twice
/// float64's digits, so that nothing overflows and nothing of a great term remains when it has left.
class LogSumOfExponentials {
 public:
  /// Requires a finite x.
  void add(double x);
  /// Takes back what was added.
  void subtract(double x) noexcept;
  [[nodiscard]] std::uint64_t terms() const noexcept { return terms_; }
  /// Requires terms() > 0.
  [[nodiscard]] double value() const noexcept;

 private:
  struct Group {
    CompensatedSum sum;
    std::uint64_t terms = 0;
  };
  std::map<double, Group> groups_;  // by floor(x / kWidth): the sums of exp(x - kWidth * floor(x / kWidth))
  std::uint64_t terms_ = 0;
};

}  // namespace isovec::core
