#pragma once
// Sums that rows may leave again. Every sum is an unevaluated pair of float64 (Dekker 1971, Knuth's two-sum):
// after n rows have come and gone in any order it is off by at most about n 2^-104 of the largest partial
// sum, so nothing of a huge row remains when it has left a window.

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

/// The weighted sum of vectors of one dimension and the sum of their weights.
class VectorSum {
 public:
  explicit VectorSum(std::size_t dimension) : sums_(dimension) {}
  [[nodiscard]] std::size_t dimension() const noexcept { return sums_.size(); }
  /// Rows that are in, those of weight 0 not counted.
  [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }

  /// Requires row of dimension() finite elements and a finite weight >= 0. The row may be unaligned.
  void add(const float* row, double weight = 1) noexcept;
  /// Takes back what was added. Requires rows() > 0 unless the weight is 0.
  void subtract(const float* row, double weight = 1) noexcept;

  [[nodiscard]] double sum(std::size_t index) const noexcept { return sums_[index].value(); }
  /// Requires rows() > 0.
  [[nodiscard]] double mean(std::size_t index) const noexcept { return sum(index) / weights_.value(); }

 private:
  void accumulate(const float* row, double factor) noexcept;
  Buffer<CompensatedSum> sums_;
  CompensatedSum weights_;
  std::uint64_t rows_ = 0;
};

}  // namespace isovec::core
