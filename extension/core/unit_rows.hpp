#pragma once
// Rows scaled to length 1 and kept for measures over all their pairs, in chunks that never move.

#include <cstddef>
#include <cstdint>
#include <isovec/buffer.hpp>
#include <optional>
#include <span>

namespace isovec::core {

/// The most rows whose pairs are all visited: 134 million pairs.
inline constexpr std::size_t kMostPairedRows = 16'384;

/// Unit rows of one dimension. Each is known by a hash of what it was before scaling.
class UnitRows {
 public:
  static constexpr std::size_t kChunkRows = 256;

  explicit UnitRows(std::size_t dimension);
  [[nodiscard]] std::size_t dimension() const noexcept { return dimension_; }
  [[nodiscard]] std::size_t size() const noexcept { return hashes_.size(); }
  /// Floats from one row to the next within a chunk; the end of a row is zeros.
  [[nodiscard]] std::size_t stride() const noexcept { return stride_; }
  [[nodiscard]] std::size_t chunks() const noexcept { return chunks_.size(); }
  [[nodiscard]] const float* chunk(std::size_t index) const noexcept { return chunks_[index].data(); }
  [[nodiscard]] std::size_t chunk_rows(std::size_t index) const noexcept;
  [[nodiscard]] std::uint64_t hash(std::size_t row) const noexcept { return hashes_[row]; }

  /// Adds a row at the end. Requires dimension() finite elements (possibly unaligned), not all zeros.
  void add(const float* row, std::uint64_t hash);
  /// Writes a row over another. Requires the same.
  void replace(std::size_t index, const float* row, std::uint64_t hash) noexcept;

 private:
  std::size_t dimension_;
  std::size_t stride_;
  Buffer<Buffer<float>> chunks_;
  Buffer<std::uint64_t> hashes_;
};

/// Hash of the elements of a row, under a seed.
[[nodiscard]] std::uint64_t hash_of_row(std::span<const float> row, std::uint64_t seed) noexcept;

/// Keeps every row, or with a seed the kMostPairedRows rows of least hash: a sample that depends on the rows
/// and the seed alone, not on the order in which they come.
class RowSample {
 public:
  RowSample(std::size_t dimension, std::optional<std::uint64_t> seed) : rows_(dimension), seed_(seed) {}
  [[nodiscard]] const UnitRows& rows() const noexcept { return rows_; }
  /// Rows that came, zero rows not counted.
  [[nodiscard]] std::uint64_t seen() const noexcept { return seen_; }
  /// Takes a finite row; passes over one of zeros. Throws Error where there are too many rows and no seed.
  void add(std::span<const float> row);

 private:
  UnitRows rows_;
  std::optional<std::uint64_t> seed_;
  std::uint64_t seen_ = 0;
  Buffer<std::size_t> heap_;  // row numbers, the greatest hash first; used when full
};

}  // namespace isovec::core
