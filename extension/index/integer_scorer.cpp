#include "index/integer_scorer.hpp"

#include <cmath>
#include <limits>

#include "codec/vector_convert.hpp"
#include "core/kernels.hpp"
#include "core/similarity.hpp"

namespace isovec::index {
namespace {

// Calls score(row) for each row of a batch, as elements of type T.
template <typename T, typename Score>
void for_each_row(const RowBatch& batch, std::span<double> scores, Score&& score) {
  for (std::size_t r = 0; r < scores.size(); ++r) {
    scores[r] = score(reinterpret_cast<const T*>(batch.vectors + r * batch.stride));
  }
}

class Int8Scorer final : public Scorer {
 public:
  explicit Int8Scorer(Query query) : Scorer(std::move(query)), vector_(query_.vector.size()) {
    if (is_of_bits(query_.metric)) refuse_metric(query_);
    codec::from_float32(query_.vector, codec::ElementType::int8, std::as_writable_bytes(std::span(vector_)));
    squared_norm_ = static_cast<double>(core::kernels().int8.squared_norm(vector_.data(), vector_.size()));
  }

 protected:
  void score_rows(const RowBatch& batch, std::span<double> scores) override {
    for_each_row<std::int8_t>(batch, scores, [this](const std::int8_t* row) { return score_of(row); });
  }

 private:
  [[nodiscard]] double score_of(const std::int8_t* row) const noexcept {
    const core::Int8Kernels& kernels = core::kernels().int8;
    const std::int8_t* q = vector_.data();
    const std::size_t d = vector_.size();
    switch (query_.metric) {
      case Metric::cosine: {
        const core::IntegerDotAndNorm sums = kernels.dot_and_squared_norm(q, row, d);
        return core::finish_wide_cosine(static_cast<double>(sums.dot), squared_norm_,
                                        static_cast<double>(sums.squared_norm))
            .value_or(std::numeric_limits<double>::quiet_NaN());
      }
      case Metric::l2:
        return std::sqrt(static_cast<double>(kernels.squared_l2(q, row, d)));
      case Metric::dot:
        return 0.0 - static_cast<double>(kernels.dot(q, row, d));
      case Metric::l1:
      case Metric::hamming:
      case Metric::jaccard:
        break;
    }
    return static_cast<double>(kernels.l1(q, row, d));
  }

  Buffer<std::int8_t> vector_;
  double squared_norm_ = 0;
};

class BitScorer final : public Scorer {
 public:
  explicit BitScorer(Query query) : Scorer(std::move(query)), vector_(query_.vector.size() / 8) {
    if (!is_of_bits(query_.metric)) refuse_metric(query_);
    codec::from_float32(query_.vector, codec::ElementType::bit, std::as_writable_bytes(std::span(vector_)));
    count_ = core::kernels().bit.count(vector_.data(), vector_.size());
  }

 protected:
  void score_rows(const RowBatch& batch, std::span<double> scores) override {
    for_each_row<std::uint8_t>(batch, scores, [this](const std::uint8_t* row) { return score_of(row); });
  }

 private:
  [[nodiscard]] double score_of(const std::uint8_t* row) const noexcept {
    const core::BitKernels& kernels = core::kernels().bit;
    const std::int64_t differing = kernels.hamming(vector_.data(), row, vector_.size());
    if (query_.metric == Metric::hamming) return static_cast<double>(differing);
    return core::finish_jaccard(differing, count_, kernels.count(row, vector_.size()));
  }

  Buffer<std::uint8_t> vector_;
  std::int64_t count_ = 0;  // of the bits that are set
};

}  // namespace

std::unique_ptr<Scorer> make_integer_scorer(Query query) {
  if (query.type == codec::ElementType::bit) return std::make_unique<BitScorer>(std::move(query));
  return std::make_unique<Int8Scorer>(std::move(query));
}

}  // namespace isovec::index
