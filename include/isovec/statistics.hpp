#pragma once
// Statistics of a set of vectors: everything a transform is fitted from, in one pass, in bounded memory, and
// in a form that merges and un-merges. Rows are weighted; sums are taken in float64 about a shift (the first
// row), so that a mean far from the origin costs no digits.

#include <cstddef>
#include <cstdint>
#include <isovec/buffer.hpp>
#include <isovec/checkpoint.hpp>
#include <span>
#include <string>
#include <string_view>

namespace isovec {

/// What a weight means. importance: only ratios matter. frequency: weight 2 is the row twice.
enum class Weights : std::uint8_t { importance, frequency };

/// How products of rows are formed: in float64, or in float32 within blocks of rows (about twice as fast).
enum class Precision : std::uint8_t { float64, float32 };

/// first: mean and per-coordinate variance, O(d) memory. second: also all products, O(d^2).
enum class Moments : std::uint8_t { first, second };

/// How statistics are taken. Two statistics merge only where these are equal.
struct StatisticsOptions {
  Weights weights = Weights::importance;
  bool normalize = false;  ///< Divide each row by its norm first (after `slice`).
  Precision precision = Precision::float64;
  Moments moments = Moments::second;
  std::size_t slice = 0;  ///< Keep this many leading coordinates; 0 keeps all.

  friend bool operator==(const StatisticsOptions&, const StatisticsOptions&) = default;
};

/// Options from text: `key=value` parted by spaces or commas; keys weights=importance|frequency,
/// normalize=none|before, precision=double|float, moments=second|first, slice=n. Throws Error that lists what
/// applies.
[[nodiscard]] StatisticsOptions parse_statistics_options(std::string_view text);

/// The canonical text of options; parse_statistics_options reads it back. Empty for the defaults.
[[nodiscard]] std::string to_text(const StatisticsOptions& options);

/// Vectors may have this many dimensions; those whose products are summed at most kMaxSecondMomentDimensions.
inline constexpr std::size_t kMaxDimensions = 65535;
inline constexpr std::size_t kMaxSecondMomentDimensions = 8192;

/// Relative rounding of an element when its row was stored: half a unit in the last place. 0 for integers.
inline constexpr double kFloat32Rounding = 0x1p-24;
inline constexpr double kFloat16Rounding = 0x1p-11;
inline constexpr double kBfloat16Rounding = 0x1p-8;

/// The sums behind Statistics. With y = x - shift (x after slice and normalize), c = columns:
struct Sums {
  StatisticsOptions options;
  std::size_t dimensions = 0;       ///< d of the rows as given; 0 before the first row.
  std::uint64_t rows = 0;           ///< Rows taken in.
  std::uint64_t positive_rows = 0;  ///< Of these, rows with weight > 0.
  std::uint64_t zero_rows = 0;      ///< Zero vectors passed over, which normalize=before cannot use.
  double weight = 0;                ///< sum of w
  double squared_weight = 0;        ///< sum of w^2
  double weight_ever = 0;           ///< sum of w over all rows ever added or removed: guards cancellation.
  double rounding = 0;              ///< Largest relative rounding of the rows' element types.
  Buffer<double> shift;             ///< c: the first row.
  Buffer<double> first;             ///< c: sum of w y
  /// moments=second: the lower triangle of sum of w y y^T, row by row, c (c + 1) / 2.
  /// moments=first: its diagonal, c.
  Buffer<double> second;
  double fourth = 0;     ///< sum of w |y|^4      (moments=second)
  Buffer<double> third;  ///< c: sum of w |y|^2 y (moments=second)

  /// Coordinates that are summed: dimensions, or options.slice where that is set; 0 before the first row.
  [[nodiscard]] std::size_t columns() const noexcept {
    return options.slice != 0 && dimensions != 0 ? options.slice : dimensions;
  }
};

/// One-pass statistics of rows. Not for use by two threads at once, not even through const functions.
class Statistics {
 public:
  explicit Statistics(StatisticsOptions options = {});
  /// Takes sums over as they are. Requires consistent sizes (a decoder checks them).
  explicit Statistics(Sums sums);

  /// Takes a row in. The first row sets the dimension. `rounding` is that of the type it was stored in.
  /// Throws Error on another dimension, NaN or infinity, a norm above 1e18, a weight that is neither 0 nor
  /// from 1e-100 to 1e100, and on a dimension too large to sum products of.
  /// Products of rows are summed in blocks: `checkpoint` is asked meanwhile, and where it stops the work the
  /// row is not taken in.
  void add(std::span<const float> row, double weight = 1.0, double rounding = kFloat32Rounding,
           const Checkpoint& checkpoint = {});

  /// Takes out a row that was added with this weight: the inverse of add, for sliding windows.
  void remove(std::span<const float> row, double weight = 1.0, double rounding = kFloat32Rounding,
              const Checkpoint& checkpoint = {});

  /// Takes in all rows of `other`. Throws Error where options or dimensions differ, and beyond 2^53 rows.
  void merge(const Statistics& other, const Checkpoint& checkpoint = {});

  /// Takes out all rows of `part`. Throws Error where `part` cannot be a part of these rows.
  void subtract(const Statistics& part, const Checkpoint& checkpoint = {});

  /// Sums the rows of the last block, as sums() does, which then has nothing left to do.
  void settle(const Checkpoint& checkpoint) const;
  /// The sums over all rows so far.
  [[nodiscard]] const Sums& sums() const;
  [[nodiscard]] const StatisticsOptions& options() const noexcept { return sums_.options; }
  /// d of the rows as given; 0 before the first row.
  [[nodiscard]] std::size_t dimensions() const noexcept { return sums_.dimensions; }
  [[nodiscard]] std::uint64_t rows() const noexcept { return sums_.rows; }

  /// Mean of the rows, columns() long (after slice and normalize). Requires a positive weight.
  [[nodiscard]] Buffer<double> mean() const;
  /// Kish's effective number of rows, (sum w)^2 / sum w^2; sum w under frequency weights.
  [[nodiscard]] double effective_rows() const noexcept;
  /// What products are divided by: sum w - sum w^2 / sum w, or sum w - 1 under frequency weights.
  [[nodiscard]] double degrees_of_freedom() const noexcept;

 private:
  bool prepare_row(std::span<const float> row, double weight);
  void begin(std::size_t dimensions);
  void take(double signed_weight);

  mutable Sums sums_;
  Buffer<double> row_;            // the row at hand, after slice and normalize, less the shift
  mutable Buffer<double> block_;  // buffered rows y, row-major
  mutable Buffer<double> workspace_;
  mutable Buffer<double> weights_;  // their weights; negative for removed rows
  mutable std::size_t summed_ = 0;  // rows of the triangle to which the block was added already
};

/// Statistics as a BLOB: versioned, hashed, little-endian.
[[nodiscard]] Buffer<std::byte> to_blob(const Statistics& statistics);
/// Statistics from a BLOB. Throws Error{corrupt} where the bytes are no statistics or are damaged.
[[nodiscard]] Statistics statistics_from_blob(std::span<const std::byte> blob);
/// A JSON object that describes statistics: options, rows, dimensions, weights, mean and variance in short.
[[nodiscard]] std::string to_json(const Statistics& statistics);

}  // namespace isovec
