#pragma once
// One query against batches of rows. Raw scores have the bits of vec_distance_* and vec_cosine; scores under
// a transform are taken from the untransformed rows in fixed-order float64.

#include <isovec/transform.hpp>
#include <memory>
#include <span>
#include <vector>

#include "codec/vector_type.hpp"
#include "index/metric.hpp"
#include "index/row_source.hpp"

namespace isovec::index {

/// What a search compares the rows with.
struct Query {
  Metric metric = Metric::cosine;
  codec::ElementType type = codec::ElementType::float32;  ///< of the rows: a floating-point type
  std::vector<float> vector;
  /// How the rows are transformed before they are compared, or null; must outlive the scorer.
  const Transform* transform = nullptr;
  /// Stands in for the transform's mean on the query's side; empty for the transform's own.
  std::vector<float> mean;
};

/// Scores rows against one query. A score is a similarity for cosine and the distance for l2 and dot, NaN
/// where it is undefined (a cosine with a zero vector).
class Scorer {
 public:
  /// Throws Error where a cosine with this query is undefined, or `mean` is given to a transform that
  /// subtracts none.
  [[nodiscard]] static std::unique_ptr<Scorer> make(Query query);
  virtual ~Scorer() = default;
  Scorer(const Scorer&) = delete;
  Scorer& operator=(const Scorer&) = delete;

  /// The scores of the batch's rows, valid until the next call.
  [[nodiscard]] std::span<const double> score(const RowBatch& batch);

 protected:
  explicit Scorer(Query query) : query_(std::move(query)) {}
  /// Rows as float32: row r starts at data + r * stride, stride in elements.
  struct Rows {
    const float* data;
    std::size_t stride;
    std::size_t count;
    std::span<const double> norms;
    [[nodiscard]] std::span<const float> row(std::size_t r, std::size_t d) const {
      return {data + r * stride, d};
    }
  };
  virtual void score_rows(const Rows& rows, std::span<double> scores) = 0;
  Query query_;

 private:
  [[nodiscard]] Rows widened(const RowBatch& batch);
  std::vector<float> wide_;
  std::vector<double> scores_;
};

/// The distance that a score stands for.
[[nodiscard]] constexpr double distance_of(Metric metric, double score) noexcept {
  return metric == Metric::cosine ? 1 - score : score;
}

}  // namespace isovec::index
