#pragma once
// One query against batches of rows. Raw scores have the bits of vec_distance_* and vec_cosine; scores under
// a transform are taken from the untransformed rows in fixed-order float64.

#include <isovec/buffer.hpp>
#include <isovec/transform.hpp>
#include <memory>
#include <span>

#include "codec/vector_type.hpp"
#include "index/metric.hpp"
#include "index/row_source.hpp"

namespace isovec::index {

/// What a search compares the rows with.
struct Query {
  Metric metric = Metric::cosine;
  codec::ElementType type = codec::ElementType::float32;  ///< of the rows
  Buffer<float> vector;                                   ///< as float32, which is exact for every type
  /// How the rows are transformed before they are compared, or null; must outlive the scorer.
  const Transform* transform = nullptr;
  /// Stands in for the transform's mean on the query's side; empty for the transform's own.
  Buffer<float> mean;
};

/// Scores rows against one query. A score is a similarity for cosine and the distance for every other metric,
/// NaN where it is undefined (a cosine with a zero vector).
class Scorer {
 public:
  /// Null where no row has a distance to this query: a cosine with a zero vector, also one that is zero once
  /// it is transformed. Throws Error where `mean` is given to a transform that subtracts none, or the metric
  /// is not one of the rows' type or of transformed rows.
  [[nodiscard]] static std::unique_ptr<Scorer> make(Query query);
  virtual ~Scorer() = default;
  Scorer(const Scorer&) = delete;
  Scorer& operator=(const Scorer&) = delete;

  /// The scores of the batch's rows, valid until the next call.
  [[nodiscard]] std::span<const double> score(const RowBatch& batch);

  /// What rows are scored with under a transform, or null.
  [[nodiscard]] virtual const QueryForm* form() const noexcept { return nullptr; }

 protected:
  explicit Scorer(Query query) : query_(std::move(query)) {}
  virtual void score_rows(const RowBatch& batch, std::span<double> scores) = 0;
  [[noreturn]] static void refuse_metric(const Query& query);
  Query query_;

 private:
  Buffer<double> scores_;
};

}  // namespace isovec::index
