#include "storage/row_filter.hpp"

#include <algorithm>
#include <iterator>

#include "db/value.hpp"
#include "storage/null_map.hpp"
#include "storage/schema.hpp"

namespace isovec::storage {
namespace {

// Values of an IN in the first statement, below every usual limit on parameters. Each further one has four
// times as many, up to the connection's limit: where no index helps, each reads the whole table.
constexpr std::size_t kBatch = 400;

const char* symbol_of(Comparison comparison) {
  switch (comparison) {
    case Comparison::equal:
      return " = ";
    case Comparison::not_equal:
      return " <> ";
    case Comparison::less:
      return " < ";
    case Comparison::less_equal:
      return " <= ";
    case Comparison::greater:
      return " > ";
    case Comparison::greater_equal:
      return " >= ";
    case Comparison::is:
      return " IS ";
    case Comparison::is_not:
      return " IS NOT ";
    case Comparison::is_null:
      return " IS NULL";
    case Comparison::not_null:
      return " IS NOT NULL";
    case Comparison::like:
      return " LIKE ";
    case Comparison::glob:
      return " GLOB ";
    case Comparison::in:
      return " IN ";
  }
  return "";
}

std::string collated(const std::string& expression, const std::string& collation) {
  return collation.empty() ? expression : expression + " COLLATE " + db::quoted(collation);
}

bool is_comparison(Comparison comparison) {
  return comparison != Comparison::like && comparison != Comparison::glob &&
         comparison != Comparison::is_null && comparison != Comparison::not_null;
}

// What a condition compares its column with. SQLite looks through all numbered parameters before it for each
// of them, so that those of a long list have a number only where they stand a second time.
struct RightSide {
  std::string first;
  std::string again;
};

RightSide right_side(const RowCondition& condition, std::size_t count, int& next) {
  RightSide right{symbol_of(condition.comparison), symbol_of(condition.comparison)};
  const bool list = condition.comparison == Comparison::in;
  if (list) right = {right.first + "(", right.again + "("};
  for (std::size_t i = 0; i < count; ++i) {
    const std::string comma = i == 0 ? "" : ", ";
    right.first += comma + "?";
    right.again += comma + "?" + std::to_string(next++);
  }
  if (list) right = {right.first + ")", right.again + ")"};
  return right;
}

// An IN whose right side may bring a collation of its own.
std::string collated_list(const RowCondition& condition, const RightSide& right) {
  std::string text = collated(condition.column, condition.collation) + right.first;
  for (const std::string& other : condition.other_collations)
    text += " OR " + collated(condition.column, other) + right.again;
  if (condition.any_collation) text += " OR typeof(" + condition.column + ") = 'text'";
  return condition.other_collations.empty() && !condition.any_collation ? text : "(" + text + ")";
}

// What SQLite turns into a number where it meets a side of numeric affinity: text that is a number as a
// whole.
std::string looks_numeric(const std::string& expression) {
  return expression + " = CAST(" + expression + " AS NUMERIC)";
}

// Section 4.2 of SQLite's page on datatypes. A column of text meets a number as text where that has no
// affinity (a parameter), as it is where it comes from a column without a type, and as a number where it
// comes from a numeric column, as does a column of BLOB.
std::string condition_text(const TableShape& shape, const RowCondition& condition, std::size_t value_count,
                           int& next) {
  if (condition.vector)
    return (condition.comparison == Comparison::not_null ? "NOT " : "") + null_test(shape, *condition.vector);
  const std::string parameter = "?" + std::to_string(next);
  const RightSide right = right_side(condition, value_count, next);
  const auto reading = [&](const std::string& left) {
    return collated(left, condition.collation) + right.again;
  };
  const std::string& column = condition.column;
  const std::string as_is = collated_list(condition, right);
  const bool one_reading = condition.reading == Reading::without_affinity ||
                           (condition.affinity != Affinity::text && condition.affinity != Affinity::blob);
  if (one_reading) return "(" + as_is + ")";
  const std::string as_number = looks_numeric(column) + " AND " + reading("CAST(" + column + " AS NUMERIC)");
  const bool number = std::any_of(condition.values.begin(), condition.values.end(),
                                  [](sqlite3_value* value) { return db::Value(value).is_number(); });
  if (number && is_comparison(condition.comparison)) {
    return "(" + as_is + " OR " + reading("+" + column) + " OR (" + as_number + "))";
  }
  // Every number is smaller than any text: a numeric column may hold text, though none that is a number.
  const bool below =
      condition.comparison == Comparison::less || condition.comparison == Comparison::less_equal;
  if (!below) return "(" + as_is + ")";
  return "(" + as_is + " OR (" + as_number + " AND NOT (" + looks_numeric(parameter) + ")))";
}

std::size_t count_values(const Buffer<RowCondition>& conditions) noexcept {
  std::size_t values = 0;
  for (const RowCondition& condition : conditions) values += condition.values.size();
  return values;
}

bool is_of_ids(const RowCondition& condition) noexcept {
  return condition.comparison == Comparison::in && condition.column == "id";
}

// A lookup costs as much as passing over several rows.
bool looks_up(const SplitConditions& split, const State& state) noexcept {
  return split.ids && count_values(split.others) <= kBatch &&
         split.ids->size() < static_cast<std::size_t>(state.rows) / 4 + kBatch;
}

}  // namespace

SplitConditions::SplitConditions(const Buffer<RowCondition>& conditions) {
  for (const RowCondition& condition : conditions) {
    if (!is_of_ids(condition)) {
      others.push_back(condition);
    } else if (!ids) {
      ids = condition.ids;
    } else {
      Buffer<std::int64_t> both;
      std::set_intersection(ids->begin(), ids->end(), condition.ids.begin(), condition.ids.end(),
                            std::back_inserter(both));
      ids = std::move(both);
    }
  }
}

RowQuery::RowQuery(Store& store, std::string columns, const Buffer<RowCondition>& conditions, Order order)
    : store_(store),
      columns_(std::move(columns)),
      split_(conditions),
      order_(order),
      by_ids_(looks_up(split_, store.state())),
      batched_(split_.others.size()),
      batch_(kBatch) {
  for (std::size_t i = 0; i < split_.others.size(); ++i) {
    const bool larger = batched_ == split_.others.size() ||
                        split_.others[i].values.size() > split_.others[batched_].values.size();
    if (split_.others[i].comparison == Comparison::in && larger) batched_ = i;
  }
  prepare_batch();
}

void RowQuery::prepare_batch() {
  const bool batches = batched_ < split_.others.size();
  const std::size_t rest = batches ? split_.others[batched_].values.size() - next_value_ : 0;
  const std::size_t count = std::min(rest, batch_);
  std::string sql = "SELECT " + columns_ + " FROM " + shadow(store_.shape(), "rows") + " WHERE ";
  sql += by_ids_ ? "id = ?1" : "1";
  int next = by_ids_ ? 2 : 1;
  for (std::size_t i = 0; i < split_.others.size(); ++i) {
    sql += " AND ";
    sql += condition_text(store_.shape(), split_.others[i],
                          i == batched_ ? count : split_.others[i].values.size(), next);
  }
  if (order_ == Order::by_id && !by_ids_) sql += " ORDER BY id";
  if (sql != sql_) statement_ = db::Statement(store_.connection(), sql);
  sql_ = std::move(sql);
  statement_.reset();
  batch_begin_ = next_value_;
  next_value_ += count;
  more_ = batches && next_value_ < split_.others[batched_].values.size();
  bind_values();
}

void RowQuery::bind_values() {
  int parameter = by_ids_ ? 2 : 1;
  for (std::size_t i = 0; i < split_.others.size(); ++i) {
    const auto& values = split_.others[i].values;
    const std::size_t first = i == batched_ ? batch_begin_ : 0;
    const std::size_t end = i == batched_ ? next_value_ : values.size();
    for (std::size_t v = first; v < end; ++v) statement_.bind(parameter++, values[v]);
  }
}

void RowQuery::note_batch() {
  std::sort(latest_.begin(), latest_.end());
  const auto middle = static_cast<std::ptrdiff_t>(earlier_.size());
  earlier_.insert(earlier_.end(), latest_.begin(), latest_.end());
  std::inplace_merge(earlier_.begin(), earlier_.begin() + middle, earlier_.end());
  latest_.clear();
  const int parameters = sqlite3_limit(store_.connection(), SQLITE_LIMIT_VARIABLE_NUMBER, -1);
  const std::size_t others = count_values(split_.others) - split_.others[batched_].values.size();
  const auto most = static_cast<std::size_t>(parameters);
  batch_ = std::clamp(most > others ? most - others : 1, std::min(kBatch, batch_), 4 * batch_);
}

bool RowQuery::step() {
  if (by_ids_) return step_by_ids();
  while (step_batches()) {
    if (split_.admits(statement_.integer(0))) return true;
  }
  return false;
}

bool RowQuery::step_by_ids() {
  while (next_id_ < split_.ids->size()) {
    statement_.reset();
    statement_.bind(1, (*split_.ids)[next_id_++]);
    bind_values();
    if (statement_.step()) return true;
  }
  return false;
}

bool RowQuery::step_batches() {
  const bool batches = batched_ < split_.others.size();
  for (;;) {
    while (!statement_.step()) {
      if (!more_) return false;
      note_batch();
      prepare_batch();
    }
    if (!batches || (!more_ && earlier_.empty())) return true;
    const std::int64_t id = statement_.integer(0);
    if (std::binary_search(earlier_.begin(), earlier_.end(), id)) continue;
    latest_.push_back(id);
    return true;
  }
}

double RowQuery::expected(std::size_t found, std::size_t rows) const noexcept {
  const auto so_far = static_cast<double>(found);
  if (by_ids_) return so_far * static_cast<double>(split_.ids->size()) / static_cast<double>(next_id_);
  const int scanned = sqlite3_stmt_status(statement_.handle(), SQLITE_STMTSTATUS_FULLSCAN_STEP, 0);
  return scanned == 0 ? 0 : so_far * static_cast<double>(rows) / scanned;
}

Buffer<RowHead> matching_rows(Store& store, const Buffer<RowCondition>& conditions) {
  constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();
  return *few_matching_rows(store, conditions, kAny, 0);
}

std::optional<Buffer<RowHead>> few_matching_rows(Store& store, const Buffer<RowCondition>& conditions,
                                                 std::size_t most, std::size_t rows) {
  constexpr std::size_t kSample = 64;  // matches: their share is within a factor of two of the table's
  RowQuery query(store, "id, slot", conditions, RowQuery::Order::any);
  Buffer<RowHead> found;
  while (query.step()) {
    if (found.size() == most) return std::nullopt;
    found.push_back({query.row().integer(0), query.row().integer(1)});
    if (found.size() != kSample) continue;
    if (query.expected(kSample, rows) > 2 * static_cast<double>(most)) return std::nullopt;
  }
  sort_by_slot(store.connection(), found);
  return found;
}

bool RowTest::is_possible(const Buffer<RowCondition>& conditions) noexcept {
  return count_values(conditions) <= kBatch;
}

RowTest::RowTest(Store& store, const Buffer<RowCondition>& conditions) : split_(conditions) {
  if (split_.others.empty()) return;
  std::string sql = "SELECT 1 FROM " + shadow(store.shape(), "rows") + " WHERE id = ?1";
  int next = 2;
  for (const RowCondition& condition : split_.others) {
    sql += " AND " + condition_text(store.shape(), condition, condition.values.size(), next);
  }
  statement_ = db::Statement(store.connection(), sql);
  for (const RowCondition& condition : split_.others) {
    values_.insert(values_.end(), condition.values.begin(), condition.values.end());
  }
}

bool RowTest::passes(std::int64_t rowid) {
  if (!split_.admits(rowid)) return false;
  if (!statement_.prepared()) return true;
  const db::Run run(statement_);
  statement_.bind(1, rowid);
  int parameter = 2;
  for (sqlite3_value* value : values_) statement_.bind(parameter++, value);
  return statement_.step();
}

}  // namespace isovec::storage
