#pragma once
// Sums that rows may leave again. Every sum is an unevaluated pair of float64 (Dekker 1971, Knuth's two-sum):
// after n rows have come and gone in any order it is off by at most about n 2^-104 of the largest partial
// sum, so nothing of a huge row remains when it has left a window.

#include <array>
#include <cstddef>
#include <cstdint>
#include <isovec/buffer.hpp>
#include <span>

namespace isovec::core {

/// A sum of float64 kept as high + low.
class CompensatedSum {
 public:
  void add(double x) noexcept {
    const double sum = high_ + x;
    const double from_x = sum - high_;
    const double error = (high_ - (sum - from_x)) + (x - from_x);  // exact: what `sum` lost
    const double low = low_ + error;
    high_ = sum + low;
    low_ = low - (high_ - sum);
  }
  void subtract(double x) noexcept { add(-x); }
  [[nodiscard]] double value() const noexcept { return high_ + low_; }

 private:
  double high_ = 0;
  double low_ = 0;
};

/// The weighted sum of vectors of one dimension and the sum of their weights, of any size that float64 has:
/// rows of very large, usual and very small weights are summed apart, each in a unit of its own, so that no
/// product of a weight and an element leaves float64.
class VectorSum {
 public:
  explicit VectorSum(std::size_t dimension) : dimension_(dimension) {}
  [[nodiscard]] std::size_t dimension() const noexcept { return dimension_; }
  /// Rows that are in, those of weight 0 not counted.
  [[nodiscard]] std::uint64_t rows() const noexcept;

  /// Requires row of dimension() finite elements and a finite weight >= 0. The row may be unaligned. Throws
  /// std::bad_alloc, and then nothing was added.
  void add(const float* row, double weight = 1);
  /// Takes back what was added.
  void subtract(const float* row, double weight = 1) noexcept;

  /// Infinite where the sum is beyond float64.
  [[nodiscard]] double sum(std::size_t index) const noexcept;
  /// Requires rows() > 0.
  [[nodiscard]] double mean(std::size_t index) const noexcept;

 private:
  // Rows whose weights are summed in one unit.
  struct Part {
    Buffer<CompensatedSum> sums;  // empty until a row comes
    CompensatedSum weights;
    std::uint64_t rows = 0;
    void add(const float* row, double factor) noexcept;
  };
  static constexpr std::size_t kParts = 3;
  template <typename Pick>
  [[nodiscard]] double total(std::size_t largest, Pick pick) const noexcept;
  [[nodiscard]] std::size_t largest_part() const noexcept;

  std::size_t dimension_;
  std::array<Part, kParts> parts_;  // of large, usual and small weights
};

}  // namespace isovec::core
