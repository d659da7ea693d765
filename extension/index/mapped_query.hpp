#pragma once
// A query under a transform that came with it, against blocks of codes of untransformed rows: their codes say
// enough about z = W (x - mean) for every such transform, if the norms of the images are known.
//
// A score is made of computed numbers (scorer.hpp): with a = W^T z_q, b = a.mean and f = |z_q| as the query
// has them, and n = |z_x| as it is kept for the row,
//
//   dot = (a.x as computed) - b,   cosine = dot / (f n),   distance^2 = f^2 + n^2 - 2 dot,
//
// and nothing has to be known of W. A block bounds <a, y> for its rows y (block_bounds.hpp), where x = g y:
// g = |x| for cosine, whose rows are divided by their norms, else 1. Where the transform divides its rows by
// their norms first, a.x / |x| stands in place of a.x, and g is 1 for cosine, else 1 / |x|. Rounding:
// - |x| is kept in float32 from a float32 sum of m = 1 + (d + 31) / 32 + 5 roundings a term, so within m
//   2^-24 / 2 + 2^-24 of itself to first order, the scorer's own |x| and the division by it within d 2^-53;
//   norm_error_ is twice the sum and 2^-22 more.
// - a.x in float64 and y from x: within (d + 64) 2^-53 |a| |x| each, in any order of summation.
// - what follows has fewer than eight roundings of its largest term, each 2^-53.

#include <span>

#include "codec/code_block.hpp"
#include "index/block_bounds.hpp"
#include "index/query_code.hpp"
#include "index/scorer.hpp"

namespace isovec::index {

/// By slot, of every row that a block may hold.
struct ImageNorms {
  std::span<const double> images;  ///< |W (x - mean)|, as scores use it
  std::span<const float> rows;     ///< |x| by lengths_of(), NaN where it is not known well, and for zeros
};

/// lengths[r] = |x| of row r of n x d floats, row-major; NaN where float32 sums do not give it.
void lengths_of(std::span<const float> rows, std::size_t d, std::span<float> lengths);

class MappedQuery {
 public:
  /// `form` is what the scorer of the query scores with; `norms` must outlive this.
  MappedQuery(const Query& query, const QueryForm& form, const ImageNorms& norms);
  /// Whether codes of the untransformed rows say anything about rows under `transform`.
  [[nodiscard]] static bool is_possible(const Transform& transform) noexcept;

  [[nodiscard]] Metric metric() const noexcept { return metric_; }
  /// The rows that may have a distance. Throws Error{corrupt} where a slot has no norm.
  [[nodiscard]] codec::RowMask defined(const codec::CodeBlockView& block) const;
  /// Bounds of the distances of those rows. Throws Error{corrupt} as bound_distances() does.
  void bound(const codec::CodeBlockView& block, DistanceBounds& bounds) const;

 private:
  struct Interval {
    double low;
    double high;
  };
  [[nodiscard]] Interval dot(const codec::CodeBlockView& block, std::size_t row, Interval product) const;
  [[nodiscard]] Interval distance(Interval dot, double norm) const;

  Metric metric_;
  bool divides_;  // rows are divided by their norm before the map
  bool unit_;     // and by the norm of what they are mapped to
  double b_;
  double norm_;
  QueryCode code_;
  ImageNorms norms_;
  double norm_error_;
  double rounding_;
};

}  // namespace isovec::index
