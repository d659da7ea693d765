#include "surface/vector_search.hpp"

#include <limits>
#include <memory>

#include "index/normed_rows.hpp"
#include "storage/row_scan.hpp"
#include "surface/column_vector.hpp"
#include "surface/definition_tokens.hpp"
#include "surface/transform_argument.hpp"

namespace isovec::surface {
namespace {

std::optional<std::size_t> limit_of(const db::OwnedValue* k) {
  if (k == nullptr) return std::nullopt;
  const std::optional<std::int64_t> count = k->view().integral();
  if (!count) {
    throw Error(Code::invalid_argument,
                std::string("k must be a whole number of rows, got ") + k->view().type_name());
  }
  if (*count < 0)
    throw Error(Code::invalid_argument, "k must not be negative, got " + std::to_string(*count));
  return static_cast<std::size_t>(*count);
}

// Which transform a search uses: the table's own, one given, or none.
class ChosenTransform {
 public:
  ChosenTransform(storage::Store& store, const storage::State& state, const SearchRequest& request) {
    const storage::VectorColumn& column = store.shape().vectors[request.column];
    if (request.transform != nullptr) {
      read(request.transform->view(), column);
      return;
    }
    transform_ = store.transform(request.column, state);
    if (transform_ != nullptr || column.transform.empty()) return;
    const std::string table = db::quoted(store.shape().name);
    throw Error(Code::invalid_argument,
                "column " + column.name + " is declared with transform='" + column.transform +
                    "', which is not fitted: run INSERT INTO " + table + "(" + table +
                    ") VALUES ('fit'), or add AND transform = 'none' to search the raw vectors");
  }
  [[nodiscard]] const Transform* get() const noexcept { return transform_; }
  /// The transform was given with the query: no norms are stored for it.
  [[nodiscard]] bool is_given() const noexcept { return given_ != nullptr; }

 private:
  void read(db::Value value, const storage::VectorColumn& column) {
    if (value.is_text() && same_word(value.text(), "none")) return;
    if (!value.is_blob()) {
      throw Error(Code::invalid_argument,
                  std::string("transform must be 'none' or a transform (a BLOB from vec_fit), got ") +
                      (value.is_text() ? "'" + std::string(value.text()) + "'" : value.type_name()));
    }
    given_ = std::make_unique<const Transform>(transform_value(value));
    transform_ = given_.get();
    if (given_->input_dimensions() == column.dimension) return;
    throw Error(Code::invalid_argument, "dimensions differ: the transform is for " +
                                            std::to_string(given_->input_dimensions()) + " and column " +
                                            column.name + " has " + std::to_string(column.dimension));
  }
  std::unique_ptr<const Transform> given_;
  const Transform* transform_ = nullptr;
};

index::Query query_of(const storage::VectorColumn& column, const SearchRequest& request,
                      const Transform* transform) {
  index::Query query;
  query.metric = column.metric;
  query.type = column.type;
  query.vector = ColumnVector(request.query->view(), column).float32();
  query.transform = transform;
  if (request.query_mean == nullptr) return query;
  storage::VectorColumn mean = column;
  mean.name = "query_mean";
  mean.type = codec::ElementType::float32;
  query.mean = ColumnVector(request.query_mean->view(), mean).float32();
  return query;
}

}  // namespace

index::Ranking run_search(storage::Store& store, const storage::State& state, const SearchRequest& request) {
  const storage::VectorColumn& column = store.shape().vectors[request.column];
  const ChosenTransform transform(store, state, request);
  index::Ranking ranking(column.metric, limit_of(request.k));
  const auto scorer = index::Scorer::make(query_of(column, request, transform.get()));
  if (request.k != nullptr && request.k->view().integral() == 0) return ranking;

  const bool stored_norms = transform.get() != nullptr && !transform.is_given();
  const auto with_norms = stored_norms ? storage::WithNorms::yes : storage::WithNorms::no;
  std::unique_ptr<index::RowSource> rows;
  if (request.conditions.empty()) {
    rows = std::make_unique<storage::AllRows>(store, request.column, state, with_norms);
  } else {
    rows = std::make_unique<storage::ChosenRows>(
        store, request.column, state, storage::matching_rows(store, request.conditions), with_norms);
  }
  if (transform.is_given()) {
    index::NormedRows normed(*rows, *transform.get(), column.type);
    index::search(normed, *scorer, request.range, ranking);
  } else {
    index::search(*rows, *scorer, request.range, ranking);
  }
  return ranking;
}

}  // namespace isovec::surface
