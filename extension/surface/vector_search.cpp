#include "surface/vector_search.hpp"

#include <algorithm>
#include <limits>
#include <memory>

#include "storage/checksum.hpp"
#include "surface/column_vector.hpp"
#include "surface/definition_tokens.hpp"
#include "surface/transform_argument.hpp"

namespace isovec::surface {
namespace {

// No table has as many rows as the largest Size says.
template <typename Size>
constexpr Size size_of(std::int64_t count) noexcept {
  const auto wide = static_cast<std::uint64_t>(count);
  return static_cast<Size>(std::min<std::uint64_t>(wide, std::numeric_limits<Size>::max()));
}
static_assert(size_of<std::uint32_t>(std::int64_t{1} << 32) == 0xFFFF'FFFF);

// Text that is a number counts as one, since some hosts bind every parameter as text.
std::optional<std::size_t> limit_of(const db::OwnedValue* k) {
  if (k == nullptr) return std::nullopt;
  const db::OwnedValue number(k->handle());
  sqlite3_value_numeric_type(number.handle());
  const std::optional<std::int64_t> count = number.view().integral();
  if (!count) {
    throw Error(Code::invalid_argument,
                std::string("k must be a whole number of rows, got ") + k->view().type_name());
  }
  if (*count < 0)
    throw Error(Code::invalid_argument, "k must not be negative, got " + std::to_string(*count));
  return size_of<std::size_t>(*count);
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
    own_ = store.transform(request.column, state);
    if (own_ != nullptr || column.transform.empty()) return;
    const std::string table = db::quoted(store.shape().name);
    throw Error(Code::invalid_argument,
                "column " + column.name + " is declared with transform='" + column.transform +
                    "', which is not fitted: run INSERT INTO " + table + "(" + table +
                    ") VALUES ('fit'), or add AND transform = 'none' to search the raw vectors");
  }
  [[nodiscard]] const Transform* get() const noexcept { return given_ ? given_.get() : own_.get(); }
  /// The transform that was given with the query, or null.
  [[nodiscard]] std::unique_ptr<const Transform> take() noexcept { return std::move(given_); }

 private:
  void read(db::Value value, const storage::VectorColumn& column) {
    if (value.is_text() && same_word(value.text(), "none")) return;
    if (!value.is_blob()) {
      throw Error(Code::invalid_argument,
                  std::string("transform must be 'none' or a transform (a BLOB from vec_fit), got ") +
                      (value.is_text() ? "'" + std::string(value.text()) + "'" : value.type_name()));
    }
    storage::require_transformable(column);
    given_ = std::make_unique<const Transform>(transform_value(value));
    if (given_->input_dimensions() == column.dimension) return;
    throw Error(Code::invalid_argument, "dimensions differ: the transform is for " +
                                            std::to_string(given_->input_dimensions()) + " and column " +
                                            column.name + " has " + std::to_string(column.dimension));
  }
  std::unique_ptr<const Transform> given_;
  std::shared_ptr<const Transform> own_;
};

index::Query query_of(const storage::VectorColumn& column, const SearchRequest& request,
                      const Transform* transform) {
  index::Query query;
  query.metric = column.metric;
  query.type = column.type;
  if (request.query->view().is_null()) {
    query.vector.assign(column.dimension, 0);
  } else {
    query.vector = ColumnVector(request.query->view(), column).float32();
  }
  query.transform = transform;
  if (request.query_mean == nullptr) return query;
  storage::VectorColumn mean = column;
  mean.name = "query_mean";
  mean.type = codec::ElementType::float32;
  query.mean = ColumnVector(request.query_mean->view(), mean).float32();
  return query;
}

}  // namespace

std::unique_ptr<storage::TableSearch> begin_search(storage::Store& store, const storage::State& state,
                                                   const SearchRequest& request) {
  const storage::VectorColumn& column = store.shape().vectors[request.column];
  ChosenTransform transform(store, state, request);
  storage::TableQuery query;
  query.column = request.column;
  query.k = limit_of(request.k);
  if (request.query->view().is_null()) query.k = 0;  // NULL has no neighbours
  query.query = query_of(column, request, transform.get());
  query.given = transform.take();
  if (query.given) query.given_checksum = storage::checksum(request.transform->view().blob(), 0);
  query.range = request.range;
  query.order = request.order;
  query.conditions = request.conditions;
  return std::make_unique<storage::TableSearch>(store, state, std::move(query));
}

}  // namespace isovec::surface
