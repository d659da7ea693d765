#pragma once
// Codes the rows of one column for the scores that Scorer gives, and its queries to match.

#include <isovec/buffer.hpp>
#include <isovec/transform.hpp>
#include <span>

#include "codec/code_encoder.hpp"
#include "index/metric.hpp"
#include "index/query_code.hpp"
#include "index/scorer.hpp"

namespace isovec::index {

class RowCoder {
 public:
  /// Under a large transform a row takes a millisecond and more.
  static constexpr std::size_t kRowsAtOnce = 16;

  /// Rows of d dimensions, transformed before they are compared where `transform` is not null; it must
  /// outlive this.
  RowCoder(Metric metric, std::size_t dimension, const Transform* transform);

  /// One block of 1 to 256 untransformed rows, n x d, row-major; slots and seed as in codec::CodeBlockLabel.
  /// Under a transform `norms` receives the rows' norms, as Transform::row_norms gives them, and `checkpoint`
  /// is asked every kRowsAtOnce rows. Throws Error as codec::encode_block does.
  Buffer<std::byte> encode(std::span<const float> rows, std::span<const std::int64_t> slots,
                           std::uint64_t seed, Buffer<double>* norms = nullptr,
                           const Checkpoint& checkpoint = {}) const;

  /// Codes rows of such a block anew, as codec::recode_rows() does: row which[i] becomes row i of `rows`,
  /// which are untransformed, n x d. Throws Error{corrupt} where the block is of another column.
  void recode(std::span<std::byte> block, std::span<const std::size_t> which, std::span<const float> rows,
              const Checkpoint& checkpoint = {}) const;

  /// The query of a search. Requires the metric and transform of this; throws Error as Scorer::make does.
  [[nodiscard]] QueryCode code(const Query& query) const;

 private:
  /// Rows under the transform.
  struct Images {
    Buffer<double> z;
    Buffer<double> norms;
    Buffer<double> divisors;
    Buffer<double> reaches;

    [[nodiscard]] codec::TransformedRows rows() const noexcept { return {z, divisors, reaches}; }
  };
  [[nodiscard]] Images images_of(std::span<const float> rows, std::size_t count,
                                 const Checkpoint& checkpoint) const;
  [[nodiscard]] std::size_t coded_dimension() const noexcept {
    return transform_ == nullptr ? dimension_ : transform_->output_dimensions();
  }
  [[nodiscard]] bool center(std::span<const float> x, std::span<const double> mean, double* out) const;
  void map(std::span<const double> centered, std::span<double> z) const;
  [[nodiscard]] double reach(std::span<const float> x, double mean_norm) const;

  Metric metric_;
  std::size_t dimension_;
  const Transform* transform_;
  bool divides_ = false;  // z is divided by its norm
  double mean_norm_ = 0;
  double linear_size_ = 0;
};

}  // namespace isovec::index
