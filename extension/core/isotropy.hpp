#pragma once
// How evenly vectors fill their space: a report of the rows as given, exact over all pairs without forming
// any.

#include <cstddef>
#include <cstdint>
#include <isovec/buffer.hpp>
#include <isovec/checkpoint.hpp>
#include <isovec/statistics.hpp>
#include <span>
#include <string>

namespace isovec::core {

/// What Isotropy found. Shares and ratios are plain numbers; NaN where undefined (one row, no variance).
struct IsotropyReport {
  std::uint64_t rows = 0;
  std::uint64_t zero_rows = 0;       ///< of norm 0: no part of the cosines
  std::uint64_t duplicate_rows = 0;  ///< rows equal to an earlier one, element by element
  std::size_t dimensions = 0;
  double effective_rows = 0;
  double norm_mean = 0, norm_min = 0, norm_max = 0, norm_deviation = 0;
  double mean_norm = 0;            ///< norm of the mean of unit rows
  double mean_energy = 0;          ///< |mean|^2 / E|x|^2
  double mean_cosine = 0;          ///< over all pairs of different rows
  double cosine_deviation = 0;     ///< standard deviation of the same
  double expected_deviation = 0;   ///< 1 / sqrt(d): of an isotropic set
  double effective_dimension = 0;  ///< 1 / E[cos^2] over all pairs: (n - 1) / (n |P|^2 - 1)
  double participation_ratio = 0;  ///< (tr S)^2 / |S|_F^2
  double iso_score = 0;            ///< (participation ratio - 1) / (d - 1)
  double top_share = 0;            ///< largest eigenvalue / trace
  double condition = 0;            ///< largest / smallest eigenvalue above the rank threshold
  std::size_t rank = 0;
  Buffer<std::size_t> dead;      ///< coordinates without variance
  std::size_t rogue = 0;         ///< the coordinate with the largest part of |mean of unit rows|^2
  double rogue_share = 0;        ///< that part
  Buffer<std::string> findings;  ///< one sentence for each finding
};

/// Aggregates rows for a report. O(d^2) memory and 8 bytes per row.
class Isotropy {
 public:
  Isotropy();
  /// Where `checkpoint` stops it, what was gathered is of no more use.
  void add(std::span<const float> row, double weight = 1.0, double rounding = kFloat32Rounding,
           const Checkpoint& checkpoint = {});
  void merge(const Isotropy& other);
  [[nodiscard]] std::uint64_t rows() const noexcept { return raw_.rows(); }
  [[nodiscard]] IsotropyReport report(const Checkpoint& checkpoint = {}) const;

 private:
  void add_norms(double weight, double mean, double squares);

  Statistics raw_;
  Statistics unit_;
  // Norms: their weight, mean and weighted squares about it (Welford), least and largest.
  double norm_weight_ = 0, norm_mean_ = 0, norm_squares_ = 0, norm_min_ = 0, norm_max_ = 0;
  Buffer<float> row_;
  Buffer<std::uint64_t> hashes_;
};

}  // namespace isovec::core
