#include "index/scorer.hpp"

#include <algorithm>
#include <cmath>
#include <isovec/error.hpp>
#include <limits>
#include <string>

#include "codec/vector_convert.hpp"
#include "core/kernels.hpp"
#include "core/similarity.hpp"
#include "index/integer_scorer.hpp"

namespace isovec::index {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

// Rows of a floating-point type, or any rows that are to be transformed: scored as float32.
class FloatScorer : public Scorer {
 protected:
  using Scorer::Scorer;
  /// Row r starts at data + r * stride, stride in elements.
  struct Rows {
    const float* data;
    std::size_t stride;
    std::size_t count;
    std::span<const double> norms;
    [[nodiscard]] std::span<const float> row(std::size_t r, std::size_t d) const {
      return {data + r * stride, d};
    }
  };
  virtual void score_floats(const Rows& rows, std::span<double> scores) = 0;

 private:
  void score_rows(const RowBatch& batch, std::span<double> scores) final {
    score_floats(widened(batch), scores);
  }
  Rows widened(const RowBatch& batch) {
    const std::size_t count = batch.rowids.size();
    if (query_.type == codec::ElementType::float32) {
      return {reinterpret_cast<const float*>(batch.vectors), batch.stride / sizeof(float), count,
              batch.norms};
    }
    const std::size_t d = query_.vector.size();
    wide_.resize(count * d);
    for (std::size_t r = 0; r < count; ++r) {
      codec::to_float32({query_.type, d, batch.vectors + r * batch.stride},
                        std::span(wide_).subspan(r * d, d));
    }
    return {wide_.data(), d, count, batch.norms};
  }
  Buffer<float> wide_;
};

class RawCosine final : public FloatScorer {
 public:
  explicit RawCosine(Query query) : FloatScorer(std::move(query)) {
    squared_norm_ = core::kernels().squared_norm(query_.vector.data(), query_.vector.size());
  }

 protected:
  void score_floats(const Rows& rows, std::span<double> scores) override {
    const std::size_t d = query_.vector.size();
    dots_.resize(rows.count);
    norms_.resize(rows.count);
    core::kernels().dot_and_squared_norm_rows(query_.vector.data(), rows.data, rows.count, rows.stride, d,
                                              dots_.data(), norms_.data());
    for (std::size_t r = 0; r < rows.count; ++r) {
      const core::CosineSums sums{dots_[r], norms_[r], squared_norm_};
      scores[r] = core::finish_cosine(sums, rows.row(r, d), query_.vector).value_or(kUndefined);
    }
  }

 private:
  float squared_norm_ = 0;
  Buffer<float> dots_;
  Buffer<float> norms_;
};

class RawL2 final : public FloatScorer {
 public:
  explicit RawL2(Query query) : FloatScorer(std::move(query)) {}

 protected:
  void score_floats(const Rows& rows, std::span<double> scores) override {
    const std::size_t d = query_.vector.size();
    sums_.resize(rows.count);
    core::kernels().squared_l2_rows(query_.vector.data(), rows.data, rows.count, rows.stride, d,
                                    sums_.data());
    for (std::size_t r = 0; r < rows.count; ++r) {
      scores[r] = std::sqrt(core::finish_squared_l2(sums_[r], rows.row(r, d), query_.vector));
    }
  }

 private:
  Buffer<float> sums_;
};

class RawDot final : public FloatScorer {
 public:
  explicit RawDot(Query query) : FloatScorer(std::move(query)) {}

 protected:
  void score_floats(const Rows& rows, std::span<double> scores) override {
    const std::size_t d = query_.vector.size();
    sums_.resize(rows.count);
    core::kernels().dot_rows(query_.vector.data(), rows.data, rows.count, rows.stride, d, sums_.data());
    for (std::size_t r = 0; r < rows.count; ++r) {
      scores[r] = 0.0 - core::finish_dot(sums_[r], rows.row(r, d), query_.vector);
    }
  }

 private:
  Buffer<float> sums_;
};

class RawL1 final : public FloatScorer {
 public:
  explicit RawL1(Query query) : FloatScorer(std::move(query)) {}

 protected:
  void score_floats(const Rows& rows, std::span<double> scores) override {
    const std::size_t d = query_.vector.size();
    sums_.resize(rows.count);
    core::kernels().l1_rows(query_.vector.data(), rows.data, rows.count, rows.stride, d, sums_.data());
    for (std::size_t r = 0; r < rows.count; ++r) {
      scores[r] = core::finish_l1(sums_[r], rows.row(r, d), query_.vector);
    }
  }

 private:
  Buffer<float> sums_;
};

// With z the transformed query and row, <z_q, z_x> = a.x - b (a.x / |x| - b where rows are normalized before
// the map), and the norms of both are known: everything else follows from these three numbers.
class Transformed final : public FloatScorer {
 public:
  explicit Transformed(Query query) : FloatScorer(std::move(query)) {
    const Transform& transform = *query_.transform;
    form_ = query_.mean.empty() ? transform.query_form(query_.vector)
                                : transform.query_form(query_.vector, query_.mean);
    divides_ = before(transform.parts().normalize);
    unit_ = after(transform.parts().normalize);
  }
  /// Whether rows have a distance to the query.
  [[nodiscard]] bool is_defined() const noexcept {
    return form_.norm != 0 || (query_.metric != Metric::cosine && !unit_);
  }
  [[nodiscard]] const QueryForm* form() const noexcept override { return &form_; }

 protected:
  void score_floats(const Rows& rows, std::span<double> scores) override {
    const std::size_t d = query_.vector.size();
    core::kernels().dot_f64_f32_rows(form_.a.data(), rows.data, rows.count, rows.stride, d, scores.data());
    for (std::size_t r = 0; r < rows.count; ++r) {
      double dot = scores[r];
      if (divides_) {
        const double norm = query_.transform->input_norm(rows.row(r, d).data());
        if (norm == 0) {
          scores[r] = kUndefined;
          continue;
        }
        dot /= norm;
      }
      scores[r] = finish(dot - form_.b, rows.norms[r]);
    }
  }

 private:
  [[nodiscard]] double finish(double dot, double norm) const noexcept {
    if (query_.metric == Metric::cosine || unit_) {
      if (norm == 0) return kUndefined;
      const double cosine = std::clamp(dot / (form_.norm * norm), -1.0, 1.0);
      if (query_.metric == Metric::cosine) return cosine;
      return query_.metric == Metric::dot ? 0.0 - cosine : std::sqrt(2 - 2 * cosine);
    }
    if (query_.metric == Metric::dot) return 0.0 - dot;
    return std::sqrt(std::max(0.0, form_.norm * form_.norm + norm * norm - 2 * dot));
  }

  QueryForm form_;
  bool divides_ = false;  // rows are divided by their norm before the map
  bool unit_ = false;     // and by the norm of what they are mapped to
};

bool is_zero(std::span<const float> vector) {
  return std::all_of(vector.begin(), vector.end(), [](float element) { return element == 0; });
}

// Whether the transform divides the query by a norm of 0.
bool normalizes_zero(const Query& query) {
  const TransformParts& parts = query.transform->parts();
  if (!before(parts.normalize) || query.vector.size() != parts.input_dimensions) return false;
  const bool mean_fits = query.mean.empty() || query.transform->subtracts_mean();
  return mean_fits && is_zero(std::span(query.vector).first(parts.columns));
}

}  // namespace

std::unique_ptr<Scorer> Scorer::make(Query query) {
  if (query.transform != nullptr) {
    const bool possible = is_of_products(query.metric) && query.type != codec::ElementType::bit;
    if (!possible) refuse_metric(query);
    if (normalizes_zero(query)) return nullptr;
    auto scorer = std::make_unique<Transformed>(std::move(query));
    if (!scorer->is_defined()) return nullptr;
    return scorer;
  }
  if (!query.mean.empty()) {
    throw Error(Code::invalid_argument,
                "query_mean replaces the mean that a transform subtracts, and this search has no transform: "
                "leave query_mean out");
  }
  if (query.metric == Metric::cosine && is_zero(query.vector)) return nullptr;
  if (!codec::is_floating(query.type)) return make_integer_scorer(std::move(query));
  switch (query.metric) {
    case Metric::cosine:
      return std::make_unique<RawCosine>(std::move(query));
    case Metric::l2:
      return std::make_unique<RawL2>(std::move(query));
    case Metric::dot:
      return std::make_unique<RawDot>(std::move(query));
    case Metric::l1:
      return std::make_unique<RawL1>(std::move(query));
    case Metric::hamming:
    case Metric::jaccard:
      break;
  }
  refuse_metric(query);
}

void Scorer::refuse_metric(const Query& query) {
  throw Error(Code::invalid_argument, std::string(query.transform != nullptr ? "transformed " : "") +
                                          std::string(codec::name_of(query.type)) +
                                          " vectors are not searched by " +
                                          std::string(name_of(query.metric)));
}

std::span<const double> Scorer::score(const RowBatch& batch) {
  scores_.resize(batch.rowids.size());
  score_rows(batch, scores_);
  return scores_;
}

}  // namespace isovec::index
