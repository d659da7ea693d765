#include "surface/vector_table_cursor.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <utility>

#include "db/collations.hpp"
#include "db/statement.hpp"
#include "storage/null_map.hpp"
#include "storage/schema.hpp"
#include "surface/vector_search.hpp"

namespace isovec::surface {
namespace {

using storage::ColumnKind;
using storage::Comparison;

// Calls visit(value) for each value of an IN, which is valid until the next.
template <typename Visit>
void for_each_value(sqlite3_value* argument, Visit&& visit) {
  sqlite3_value* value = nullptr;
  int rc = sqlite3_vtab_in_first(argument, &value);
  for (; rc == SQLITE_OK && value != nullptr; rc = sqlite3_vtab_in_next(argument, &value)) visit(value);
  if (rc != SQLITE_DONE) db::check(nullptr, rc);
}

// The values of an argument.
Buffer<db::OwnedValue> values_of(sqlite3_value* argument, Comparison comparison) {
  Buffer<db::OwnedValue> values;
  if (comparison == Comparison::in) {
    for_each_value(argument, [&](sqlite3_value* value) { values.emplace_back(value); });
  } else {
    values.emplace_back(argument);
  }
  return values;
}

// Those of an IN that an integer can be equal to, ascending.
Buffer<std::int64_t> ids_of(sqlite3_value* argument) {
  Buffer<std::int64_t> ids;
  for_each_value(argument, [&](sqlite3_value* value) {
    sqlite3_value_numeric_type(value);
    if (const auto id = db::Value(value).integral()) ids.push_back(*id);
  });
  if (!std::is_sorted(ids.begin(), ids.end())) std::sort(ids.begin(), ids.end());
  return ids;
}

// Where `distance` is compared with a number: the nearest double, and how the number lies to it. An integer
// beyond 2^53 may lie between two doubles, and SQLite compares it as it is.
struct Bound {
  double value;
  int side;  // of the number: -1 below the double, 0 the same, 1 above
};

Bound bound_of(db::Value number) {
  const double value = number.real();
  if (number.type() != SQLITE_INTEGER || value < -0x1p63) return {value, 0};
  if (value >= 0x1p63) return {value, -1};
  const auto whole = static_cast<std::int64_t>(value);
  return {value, number.integer() < whole ? -1 : number.integer() > whole ? 1 : 0};
}

// The distances that a condition on `distance` leaves. k counts what lies between the ends, so they are
// exact: the end of a strict comparison is the next double.
void narrow(index::DistanceRange& range, Comparison comparison, const db::OwnedValue& value) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  sqlite3_value_numeric_type(value.handle());
  if (!value.view().is_number()) return;  // SQLite finds that all distances pass, or none
  const Bound bound = bound_of(value.view());
  const bool equal = comparison == Comparison::equal || comparison == Comparison::is;
  const bool below = comparison == Comparison::less || comparison == Comparison::less_equal;
  const bool strict = comparison == Comparison::less || comparison == Comparison::greater;
  if (equal || below) {
    const bool keeps = bound.side > 0 || (bound.side == 0 && !strict);
    range.most = std::min(range.most, keeps ? bound.value : std::nextafter(bound.value, -kInfinity));
  }
  if (equal || !below) {
    const bool keeps = bound.side < 0 || (bound.side == 0 && !strict);
    range.least = std::max(range.least, keeps ? bound.value : std::nextafter(bound.value, kInfinity));
  }
}

void set_blob(sqlite3_context* context, std::span<const std::byte> bytes) {
  sqlite3_result_blob64(context, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
}

}  // namespace

VectorCursor::VectorCursor(VectorTable& table) : sqlite3_vtab_cursor{}, table_(table), store_(table.store) {
  readers_.resize(store_.shape().vectors.size());
  table.cursors.push_back(this);
}

VectorCursor::~VectorCursor() {
  std::erase(table_.cursors, this);
}

bool VectorCursor::answers(db::Value query) const {
  const db::OwnedValue* own = search_ ? input(TermKind::match) : nullptr;
  if (own == nullptr || query.is_null() || own->view().type() != query.type()) return false;
  if (query.is_text()) return query.text() == own->view().text();
  const std::span<const std::byte> a = query.blob();
  const std::span<const std::byte> b = own->view().blob();
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

void VectorCursor::settle() noexcept {
  undisturbed_ = false;  // even if the change is taken back
  if (!search_ || failure_) return;
  try {
    search_->settle();
  } catch (...) {
    failure_ = std::current_exception();
  }
}

void VectorCursor::reset() noexcept {
  rows_.reset();
  search_.reset();
  hit_.reset();
  failure_ = nullptr;
  row_.reset();
  auxiliary_.reset();
  auxiliary_stands_ = false;
  read_for_nothing_.reset();
  for (auto& reader : readers_) reader.reset();
  at_end_ = true;
}

void VectorCursor::take_arguments(std::span<sqlite3_value*> arguments) {
  if (arguments.size() != plan_.terms.size()) {
    throw Error(Code::invalid_argument, "SQLite handed over another number of values than the plan has");
  }
  arguments_.clear();
  ids_.clear();
  ids_.resize(arguments.size());
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const PlanTerm& term = plan_.terms[i];
    arguments_.emplace_back();
    if (is_in_of_ids(term)) {
      ids_[i] = ids_of(arguments[i]);
    } else {
      arguments_[i] = values_of(arguments[i], term.comparison);
    }
  }
}

// Such an IN is a set of integers, of which there may be as many as rows: `id IN (SELECT ...)`.
bool VectorCursor::is_in_of_ids(const PlanTerm& term) const {
  if (term.kind != TermKind::row || term.comparison != Comparison::in) return false;
  const auto column = row_column(store_.shape(), term.column);
  return column && column->name == "id";
}

// Whether a vector is NULL; no condition where none is.
std::optional<storage::RowCondition> VectorCursor::null_condition(const PlanTerm& term,
                                                                  std::size_t vector) const {
  const storage::State state = store_.state();
  if (term.comparison == Comparison::not_null && state.nulls == 0) return std::nullopt;
  storage::require_null_pages(store_.statements(), store_.shape(), state);
  storage::RowCondition condition;
  condition.comparison = term.comparison;
  condition.vector = vector;
  return condition;
}

// FROM t('[1,0]') means WHERE distance = '[1,0]' to SQLite, since distance is the first hidden column.
void VectorCursor::refuse_call() const {
  for (std::size_t i = 0; i < plan_.terms.size(); ++i) {
    if (plan_.terms[i].kind != TermKind::distance || plan_.terms[i].comparison != Comparison::equal) continue;
    const db::Value value = arguments_[i].front().view();
    if (!value.is_blob() && !(value.is_text() && value.text().starts_with('['))) continue;
    throw Error(Code::invalid_argument,
                "distance is compared with a vector: a search is no call of the table but "
                "WHERE " +
                    store_.shape().vectors.front().name + " MATCH <vector> AND k = <rows>");
  }
}

Buffer<storage::RowCondition> VectorCursor::conditions() const {
  Buffer<storage::RowCondition> conditions;
  for (std::size_t i = 0; i < plan_.terms.size(); ++i) {
    const PlanTerm& term = plan_.terms[i];
    if (term.kind != TermKind::row) continue;
    const auto role = role_of(store_.shape(), term.column);
    if (role && role->kind == ColumnKind::vector) {
      if (auto condition = null_condition(term, role->index)) conditions.push_back(*std::move(condition));
      continue;
    }
    const auto column = row_column(store_.shape(), term.column);
    if (!column) throw Error(Code::invalid_argument, "the query plan names a column that has no conditions");
    storage::RowCondition condition;
    condition.column = column->name;
    condition.affinity = column->affinity;
    condition.comparison = term.comparison;
    condition.collation = term.collation;
    // k counts the rows that pass: what SQLite would refuse must not be among them.
    if (plan_.find(TermKind::k) != nullptr) condition.reading = storage::Reading::without_affinity;
    const bool unary = term.comparison == Comparison::is_null || term.comparison == Comparison::not_null;
    for (const db::OwnedValue& value : arguments_[i]) {
      if (!unary) condition.values.push_back(value.handle());
    }
    condition.ids = ids_[i];
    if (term.comparison == Comparison::in) add_collations(condition);
    conditions.push_back(std::move(condition));
  }
  return conditions;
}

// A COLLATE in a subquery on the right decides how an IN compares text, unless one stands on the left too;
// and SQLite does not tell of it. SQLite compares again what passes here. With k, which counts, the left side
// decides.
void VectorCursor::add_collations(storage::RowCondition& condition) const {
  if (condition.reading == storage::Reading::without_affinity) return;
  const bool has_text = std::any_of(condition.values.begin(), condition.values.end(),
                                    [](sqlite3_value* value) { return db::Value(value).is_text(); });
  if (!has_text || !db::mentions_collate(store_.connection(), store_.shape().schema)) return;
  auto others = db::collations_of(store_.connection());
  condition.any_collation = !others;
  if (others) condition.other_collations = *std::move(others);
}

const db::OwnedValue* VectorCursor::input(TermKind kind) const {
  for (std::size_t i = 0; i < plan_.terms.size(); ++i) {
    if (plan_.terms[i].kind == kind) return &arguments_[i].front();
  }
  return nullptr;
}

void VectorCursor::filter(Plan plan, std::span<sqlite3_value*> arguments) {
  reset();
  plan_ = std::move(plan);
  take_arguments(arguments);
  refuse_call();
  const storage::State state = store_.state();
  history_ = state.history;
  undisturbed_ = true;
  rows_left_ = state.rows;
  if (const PlanTerm* match = plan_.find(TermKind::match)) {
    const auto role = role_of(store_.shape(), match->column);
    if (!role || role->kind != ColumnKind::vector) {
      throw Error(Code::invalid_argument, "the query plan searches a column that holds no vectors");
    }
    searched_ = role->index;
    begin_search();
  } else {
    rows_.emplace(store_, storage::row_select(store_.shape()), conditions());
  }
  next();
}

void VectorCursor::begin_search() {
  SearchRequest request;
  request.column = searched_;
  request.query = input(TermKind::match);
  request.k = input(TermKind::k);
  request.transform = input(TermKind::transform);
  request.query_mean = input(TermKind::query_mean);
  request.order = plan_.by_similarity ? index::HitOrder::score : index::HitOrder::distance;
  for (std::size_t i = 0; i < plan_.terms.size(); ++i) {
    if (plan_.terms[i].kind == TermKind::distance) {
      narrow(request.range, plan_.terms[i].comparison, arguments_[i].front());
    }
  }
  request.conditions = conditions();
  try {
    search_ = surface::begin_search(store_, store_.state(), request);
  } catch (const std::bad_alloc&) {
    if (!store_.blocks().give_up()) throw;
    search_ = surface::begin_search(store_, store_.state(), request);
  }
  if (!row_.prepared()) {
    row_ = db::Statement(store_.connection(), "SELECT " + storage::row_select(store_.shape()) + " FROM " +
                                                  storage::shadow(store_.shape(), "rows") + " WHERE id = ?1");
  }
}

// An input that was not given is NULL, which a condition on it may reject; and then the rest of the row is
// not read. A condition that the table was offered is refused before, when the query is planned.
void VectorCursor::refuse_dropped_input() const {
  if (!read_for_nothing_ || (plan_.reads & ~read_) == 0) return;
  constexpr std::pair<HiddenColumn, const char*> kNames[] = {{HiddenColumn::k, "k"},
                                                             {HiddenColumn::transform, "transform"},
                                                             {HiddenColumn::query_mean, "query_mean"}};
  for (const auto& [column, name] : kNames) {
    if (column == *read_for_nothing_) throw Error(Code::invalid_argument, unheeded_input(name));
  }
}

void VectorCursor::next() {
  refuse_dropped_input();
  read_ = 0;
  read_for_nothing_.reset();
  auxiliary_.reset();
  auxiliary_stands_ = false;
  if (search_) {
    next_hit();
  } else {
    next_row();
  }
  if (at_end_) reset();
}

bool VectorCursor::is_undisturbed() const {
  return undisturbed_ && store_.state().history == history_;
}

void VectorCursor::next_row() {
  at_end_ = !rows_->step();
  if (!at_end_) {
    head_ = store_.verifier().verify(rows_->row());
    --rows_left_;
    return;
  }
  // A scan of the whole table knows how many rows it should have seen, unless they were changed meanwhile.
  if (rows_left_ == 0 || plan_.find(TermKind::row) != nullptr || !is_undisturbed()) return;
  throw Error(Code::corrupt, "the table holds another number of rows than it counts");
}

// A row may have been deleted since the search ran, by this connection: it is passed over. Where nothing was
// written since, a row that is missing is damage.
void VectorCursor::next_hit() {
  if (failure_) std::rethrow_exception(failure_);
  while ((hit_ = search_->next())) {
    row_.reset();
    row_.bind(1, hit_->rowid);
    if (row_.step()) {
      head_ = store_.verifier().verify(row_);
      at_end_ = false;
      return;
    }
    if (is_undisturbed()) {
      throw Error(Code::corrupt, "row " + std::to_string(hit_->rowid) + " has vectors but no values");
    }
  }
  at_end_ = true;
}

void VectorCursor::column(sqlite3_context* context, int column) {
  read_ |= read_bit(column);
  if (sqlite3_vtab_nochange(context) != 0) return;  // an UPDATE that leaves the column as it is
  if (const auto role = role_of(store_.shape(), column)) return column_value(context, *role);
  const int hidden = column - declared_columns(store_.shape());
  if (hidden >= 0 && hidden < kHiddenColumns) hidden_value(context, static_cast<HiddenColumn>(hidden));
}

void VectorCursor::column_value(sqlite3_context* context, const storage::ColumnRole& role) {
  const storage::TableShape& shape = store_.shape();
  const db::Statement& row = search_ ? row_ : rows_->row();
  const std::size_t keys = shape.key == storage::Key::text ? 1 : 0;
  const auto result = [&](std::size_t value) {
    sqlite3_result_value(context, row.value(storage::kFirstValue + static_cast<int>(value)));
  };
  switch (role.kind) {
    case ColumnKind::key:
      if (keys == 0) return sqlite3_result_int64(context, head_.id);
      return result(0);
    case ColumnKind::partition:
      return result(keys + role.index);
    case ColumnKind::metadata:
      return result(keys + shape.partitions.size() + role.index);
    case ColumnKind::vector:
      return vector_value(context, role.index);
    case ColumnKind::auxiliary:
      return auxiliary_value(context, role.index);
  }
}

void VectorCursor::vector_value(sqlite3_context* context, std::size_t index) {
  auto& reader = readers_[index];
  if (!reader) reader = std::make_unique<storage::VectorReader>(store_.connection(), store_.shape(), index);
  const std::span<const std::byte> vector = reader->read(head_.slot, head_.id);
  if (vector.empty()) return;  // NULL
  set_blob(context, vector);
  sqlite3_result_subtype(context, codec::subtype_of(store_.shape().vectors[index].type));
}

void VectorCursor::auxiliary_value(sqlite3_context* context, std::size_t index) {
  const storage::TableShape& shape = store_.shape();
  if (!auxiliary_.prepared()) {
    std::string columns = "id";
    for (std::size_t i = 0; i < shape.auxiliary.size(); ++i) columns += ", a" + std::to_string(i);
    auxiliary_ = db::Statement(store_.connection(), "SELECT " + columns + ", hash FROM " +
                                                        storage::shadow(shape, "aux") + " WHERE id = ?1");
  }
  if (!auxiliary_stands_) {
    auxiliary_.reset();
    auxiliary_.bind(1, head_.id);
    if (!auxiliary_.step()) {
      throw Error(Code::corrupt, "the auxiliary values of row " + std::to_string(head_.id) + " are missing");
    }
    storage::RowVerifier::verify_auxiliary(auxiliary_, shape);
    auxiliary_stands_ = true;
  }
  sqlite3_result_value(context, auxiliary_.value(1 + static_cast<int>(index)));
}

void VectorCursor::own_transform(sqlite3_context* context) {
  std::size_t column = searched_;
  if (!search_) {
    if (store_.shape().vectors.size() > 1) return;  // which one is not said
    column = 0;
  }
  if (const auto record = storage::read_transform(store_.statements(), column, store_.state()))
    set_blob(context, record->transform);
}

void VectorCursor::hidden_value(sqlite3_context* context, HiddenColumn column) {
  if (column == HiddenColumn::command) return;
  if (column == HiddenColumn::distance || column == HiddenColumn::similarity) {
    if (!hit_) return;
    const index::Metric metric = search_->metric();
    const double distance = index::distance_of(metric, hit_->score);
    if (column == HiddenColumn::distance) return sqlite3_result_double(context, distance);
    if (metric == index::Metric::cosine) return sqlite3_result_double(context, hit_->score);
    if (metric == index::Metric::dot) return sqlite3_result_double(context, -distance);
    return;
  }
  const TermKind kind = column == HiddenColumn::k           ? TermKind::k
                        : column == HiddenColumn::transform ? TermKind::transform
                                                            : TermKind::query_mean;
  if (const db::OwnedValue* value = input(kind)) return sqlite3_result_value(context, value->handle());
  if (plan_.whole_rows) return;
  read_for_nothing_ = column;
  if (column == HiddenColumn::transform) own_transform(context);
}

}  // namespace isovec::surface
