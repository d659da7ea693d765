#include "surface/vector_table_best_index.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "db/value.hpp"
#include "surface/vector_table_columns.hpp"
#include "surface/vector_table_plan.hpp"

namespace isovec::surface {
namespace {

using storage::Comparison;
using storage::TableShape;

// Prices in SQLite's unit of about one row. A search must cost less than any two other accesses together,
// and must not be expected to give more rows: where a query has MATCH and an OR, SQLite may otherwise answer
// the OR branch by branch and be left with a MATCH that nobody evaluates. And it must cost much more than a
// lookup elsewhere, so that a join does not repeat it for every row.
//
// A search costs more for each condition that may come from a row value, as in (a, b) IN (VALUES (1, 2), (3,
// 4)). SQLite offers its parts as = with no sign that it would run the search once for each pair; but then it
// asks for a second plan without them, which has to be the cheaper one. A step is one in SQLite's logarithm
// of costs.
constexpr double kSearchCost = 512;
constexpr double kSearchStep = 64;
constexpr int kSearchSteps = 6;
constexpr double kLookupCost = 500;
constexpr double kIndexedCost = 5'000;
constexpr double kScanCost = 3'000'000;
constexpr sqlite3_int64 kSearchRows = 100;
constexpr sqlite3_int64 kLookupRows = kSearchRows;
constexpr sqlite3_int64 kIndexedRows = kSearchRows;
constexpr sqlite3_int64 kScanRows = 1'000'000;
constexpr const char* kNames[kHiddenColumns] = {"distance",  "similarity", "k",
                                                "transform", "query_mean", "command"};
// SQLite can hand an IN over as a whole only where it is among the first 32 constraints.
constexpr int kWholeIn = 32;

std::optional<Comparison> comparison_of(int op) {
  switch (op) {
    case SQLITE_INDEX_CONSTRAINT_EQ:
      return Comparison::equal;
    case SQLITE_INDEX_CONSTRAINT_GT:
      return Comparison::greater;
    case SQLITE_INDEX_CONSTRAINT_LE:
      return Comparison::less_equal;
    case SQLITE_INDEX_CONSTRAINT_LT:
      return Comparison::less;
    case SQLITE_INDEX_CONSTRAINT_GE:
      return Comparison::greater_equal;
    case SQLITE_INDEX_CONSTRAINT_LIKE:
      return Comparison::like;
    case SQLITE_INDEX_CONSTRAINT_GLOB:
      return Comparison::glob;
    case SQLITE_INDEX_CONSTRAINT_NE:
      return Comparison::not_equal;
    case SQLITE_INDEX_CONSTRAINT_IS:
      return Comparison::is;
    case SQLITE_INDEX_CONSTRAINT_ISNOT:
      return Comparison::is_not;
    case SQLITE_INDEX_CONSTRAINT_ISNULL:
      return Comparison::is_null;
    case SQLITE_INDEX_CONSTRAINT_ISNOTNULL:
      return Comparison::not_null;
    default:
      return std::nullopt;
  }
}

const char* text_of(Comparison comparison) {
  switch (comparison) {
    case Comparison::equal:
      return " = ?";
    case Comparison::not_equal:
      return " <> ?";
    case Comparison::less:
      return " < ?";
    case Comparison::less_equal:
      return " <= ?";
    case Comparison::greater:
      return " > ?";
    case Comparison::greater_equal:
      return " >= ?";
    case Comparison::is:
      return " IS ?";
    case Comparison::is_not:
      return " IS NOT ?";
    case Comparison::is_null:
      return " IS NULL";
    case Comparison::not_null:
      return " IS NOT NULL";
    case Comparison::like:
      return " LIKE ?";
    case Comparison::glob:
      return " GLOB ?";
    case Comparison::in:
      return " IN (...)";
  }
  return "";
}

// What the table takes of a query's constraints.
class Planner {
 public:
  Planner(const TableShape& shape, sqlite3_index_info* info) : shape_(shape), info_(info) {}
  int run();

 private:
  struct Input {
    HiddenColumn column;
    TermKind kind;
    int constraint;
  };
  [[nodiscard]] const auto& constraint(int i) const { return info_->aConstraint[i]; }
  [[nodiscard]] bool is_match(int i) const;
  [[nodiscard]] std::string name_of(int column) const;
  /// False where one that is offered cannot be used in this plan.
  bool find_inputs();
  void refuse_input(int i, const std::string& name) const;
  void find_reads();
  void take(int i, PlanTerm term, bool omit);
  void take_rows();
  [[nodiscard]] bool may_come_of_a_pattern(int i) const;
  void take_row(int i, const storage::RowColumn& column);
  void take_null_test(int i, const storage::ColumnRole& role);
  void take_distances();
  void price_search();
  void price_scan();
  void order_search(index::Metric metric);
  [[nodiscard]] bool is_nearest_first(int i, index::Metric metric);
  void order_scan();
  void name_left();
  void finish();

  const TableShape& shape_;
  sqlite3_index_info* info_;
  Plan plan_;
  int match_ = -1;
  Buffer<Input> inputs_;
  std::string readable_;
  bool lookup_ = false;   // by rowid or key
  bool indexed_ = false;  // by an index
  bool unordered_ = false;
  int unknown_ = 0;  // comparisons by = with what is not a literal
};

bool Planner::is_match(int i) const {
  const auto role = role_of(shape_, constraint(i).iColumn);
  return constraint(i).op == SQLITE_INDEX_CONSTRAINT_MATCH && role &&
         role->kind == storage::ColumnKind::vector;
}

std::string Planner::name_of(int column) const {
  const auto role = role_of(shape_, column);
  if (role) return shape_.name_of(*role);
  const int hidden = column - declared_columns(shape_);
  return hidden >= 0 && hidden < kHiddenColumns ? kNames[hidden] : "rowid";
}

// An input that was not given is NULL, so IS NULL and IS NOT NULL have an answer. Any other comparison was
// meant to be heeded.
void Planner::refuse_input(int i, const std::string& name) const {
  const auto comparison = comparison_of(constraint(i).op);
  if (!comparison || *comparison == Comparison::is_null || *comparison == Comparison::not_null) return;
  throw Error(Code::invalid_argument, unheeded_input(name));
}

// What only an order or an input needs is not read.
void Planner::find_reads() {
  plan_.reads = info_->colUsed;
  for (int i = 0; i < info_->nOrderBy; ++i) {
    if (info_->aOrderBy[i].iColumn >= 0) plan_.reads &= ~read_bit(info_->aOrderBy[i].iColumn);
  }
  for (int i = 0; i < info_->nConstraint; ++i) {
    const int column = constraint(i).iColumn;
    if (info_->aConstraintUsage[i].omit != 0 && column >= 0) plan_.reads &= ~read_bit(column);
  }
}

bool Planner::find_inputs() {
  constexpr std::pair<HiddenColumn, TermKind> kInputs[] = {{HiddenColumn::k, TermKind::k},
                                                           {HiddenColumn::transform, TermKind::transform},
                                                           {HiddenColumn::query_mean, TermKind::query_mean}};
  bool usable = true;
  for (int i = 0; i < info_->nConstraint; ++i) {
    const bool equality =
        constraint(i).op == SQLITE_INDEX_CONSTRAINT_EQ || constraint(i).op == SQLITE_INDEX_CONSTRAINT_IS;
    if (is_match(i)) {
      usable = usable && constraint(i).usable != 0;
      if (match_ >= 0)
        throw Error(Code::invalid_argument,
                    "one query can MATCH one vector column only once: join the table with itself for two");
      match_ = i;
    }
    for (const auto& [column, kind] : kInputs) {
      if (!is(shape_, constraint(i).iColumn, column)) continue;
      if (!equality) {
        refuse_input(i, kNames[static_cast<std::size_t>(column)]);
        continue;
      }
      usable = usable && constraint(i).usable != 0;
      inputs_.push_back({column, kind, i});
    }
  }
  return usable;
}

void Planner::take(int i, PlanTerm term, bool omit) {
  plan_.terms.push_back(std::move(term));
  info_->aConstraintUsage[i].argvIndex = static_cast<int>(plan_.terms.size());
  info_->aConstraintUsage[i].omit = omit ? 1 : 0;
}

// SQLite adds a range to LIKE 'a%' and GLOB 'a*' and offers it like any other; a BLOB lies outside it, and
// meets the pattern unless SQLite was compiled to compare patterns with text only. Beside k such a range has
// to be taken, since it may also be the query's own.
bool Planner::may_come_of_a_pattern(int i) const {
  const int op = constraint(i).op;
  if (op != SQLITE_INDEX_CONSTRAINT_GE && op != SQLITE_INDEX_CONSTRAINT_LT) return false;
  if (plan_.find(TermKind::k) != nullptr || sqlite3_compileoption_used("LIKE_DOESNT_MATCH_BLOBS") != 0)
    return false;
  for (int other = 0; other < info_->nConstraint; ++other) {
    const auto comparison = comparison_of(constraint(other).op);
    const bool pattern = comparison == Comparison::like || comparison == Comparison::glob;
    if (pattern && constraint(other).iColumn == constraint(i).iColumn) return true;
  }
  return false;
}

void Planner::take_row(int i, const storage::RowColumn& column) {
  std::optional<Comparison> comparison = comparison_of(constraint(i).op);
  if (!comparison || may_come_of_a_pattern(i)) return;
  if (*comparison == Comparison::equal) {
    if (i >= kWholeIn && match_ >= 0) return;  // it may be an IN that would run the search once per value
    if (sqlite3_vtab_in(info_, i, -1) != 0) {
      sqlite3_vtab_in(info_, i, 1);
      comparison = Comparison::in;
      unordered_ = true;
    }
  }
  sqlite3_value* value = nullptr;
  if (*comparison == Comparison::equal && sqlite3_vtab_rhs_value(info_, i, &value) != SQLITE_OK) ++unknown_;
  const char* collation = sqlite3_vtab_collation(info_, i);
  const bool binary = collation == nullptr || sqlite3_stricmp(collation, "BINARY") == 0;
  const bool exact =
      *comparison == Comparison::equal || *comparison == Comparison::in || *comparison == Comparison::is;
  lookup_ = lookup_ || (exact && (column.name == "id" || column.name == "key"));
  indexed_ = indexed_ || (column.indexed && *comparison != Comparison::not_equal);
  readable_ += ", " + name_of(constraint(i).iColumn) + text_of(*comparison);
  take(i, {TermKind::row, *comparison, constraint(i).iColumn, binary ? "" : collation}, false);
}

void Planner::take_rows() {
  for (int i = 0; i < info_->nConstraint; ++i) {
    if (constraint(i).usable == 0) continue;
    if (const auto column = row_column(shape_, constraint(i).iColumn)) take_row(i, *column);
    if (const auto role = role_of(shape_, constraint(i).iColumn)) take_null_test(i, *role);
  }
}

// Whether a vector is NULL. A row that a search of the column finds has one, so that it need not be asked.
void Planner::take_null_test(int i, const storage::ColumnRole& role) {
  const auto comparison = comparison_of(constraint(i).op);
  const bool unary = comparison == Comparison::is_null || comparison == Comparison::not_null;
  if (role.kind != storage::ColumnKind::vector || !unary) return;
  const bool searched = match_ >= 0 && constraint(match_).iColumn == constraint(i).iColumn;
  if (searched && comparison == Comparison::not_null) return;
  readable_ += ", " + name_of(constraint(i).iColumn) + text_of(*comparison);
  take(i, {TermKind::row, *comparison, constraint(i).iColumn, ""}, false);
}

void Planner::take_distances() {
  for (int i = 0; i < info_->nConstraint; ++i) {
    if (constraint(i).usable == 0 || !is(shape_, constraint(i).iColumn, HiddenColumn::distance)) continue;
    const auto comparison = comparison_of(constraint(i).op);
    const bool equal = comparison == Comparison::equal || comparison == Comparison::is;
    const bool bound = comparison == Comparison::less || comparison == Comparison::less_equal ||
                       comparison == Comparison::greater || comparison == Comparison::greater_equal;
    // An IN would run the search once per value.
    if (!bound && (!equal || i >= kWholeIn || sqlite3_vtab_in(info_, i, -1) != 0)) continue;
    readable_ += std::string(", distance") + text_of(*comparison);
    take(i, {TermKind::distance, *comparison, constraint(i).iColumn, ""}, false);
  }
}

void Planner::price_search() {
  info_->estimatedCost = kSearchCost + kSearchStep * std::min(unknown_, kSearchSteps);
  info_->estimatedRows = kSearchRows;
  for (const Input& input : inputs_) {
    sqlite3_value* value = nullptr;
    if (input.kind != TermKind::k || sqlite3_vtab_rhs_value(info_, input.constraint, &value) != SQLITE_OK)
      continue;
    const auto k = value == nullptr ? std::nullopt : db::Value(value).integral();
    if (k && *k > 0 && *k < kSearchRows) info_->estimatedRows = *k;
  }
}

void Planner::price_scan() {
  const double cost = lookup_ ? kLookupCost : (indexed_ ? kIndexedCost : kScanCost);
  info_->estimatedCost = cost;
  info_->estimatedRows = lookup_ ? kLookupRows : (indexed_ ? kIndexedRows : kScanRows);
}

// By distance; or by descending similarity, which is -distance for dot, and for cosine the same order but for
// rows whose distances are rounded to one. Of these k would count others, so with k it is left to SQLite,
// which has few rows to sort then. For other metrics it is NULL, and any order will do.
bool Planner::is_nearest_first(int i, index::Metric metric) {
  const auto& term = info_->aOrderBy[i];
  if (is(shape_, term.iColumn, HiddenColumn::distance)) return term.desc == 0;
  if (!is(shape_, term.iColumn, HiddenColumn::similarity)) return false;
  if (metric == index::Metric::dot) return term.desc != 0;
  if (metric != index::Metric::cosine) return info_->nOrderBy == 1;
  plan_.by_similarity = term.desc != 0 && plan_.find(TermKind::k) == nullptr;
  return plan_.by_similarity;
}

// distance or similarity, or these and then the rowid, is the order of a search.
void Planner::order_search(index::Metric metric) {
  const int count = info_->nOrderBy;
  if (count < 1 || count > 2) return;
  if (count == 2) {
    const auto column = row_column(shape_, info_->aOrderBy[1].iColumn);
    if (!column || column->name != "id" || info_->aOrderBy[1].desc != 0) return;
  }
  if (is_nearest_first(0, metric)) info_->orderByConsumed = 1;
}

void Planner::order_scan() {
  if (unordered_ || info_->nOrderBy != 1 || info_->aOrderBy[0].desc != 0) return;
  const auto column = row_column(shape_, info_->aOrderBy[0].iColumn);
  if (column && column->name == "id") info_->orderByConsumed = 1;
}

// What was offered and can be used, but not by the table. More may be left that SQLite never offers.
void Planner::name_left() {
  std::string names;
  for (int i = 0; i < info_->nConstraint; ++i) {
    if (constraint(i).usable == 0 || info_->aConstraintUsage[i].argvIndex > 0) continue;
    const auto comparison = comparison_of(constraint(i).op);
    if (comparison) names += ", " + name_of(constraint(i).iColumn) + text_of(*comparison);
  }
  if (!names.empty()) readable_ += "; left to SQLite: " + names.substr(2);
}

void Planner::finish() {
  find_reads();
  name_left();
  const std::string text = encode_plan(plan_, readable_);
  info_->idxStr = sqlite3_mprintf("%s", text.c_str());
  if (info_->idxStr == nullptr) throw std::bad_alloc();
  info_->needToFreeIdxStr = 1;
}

int Planner::run() {
  if (!find_inputs()) return SQLITE_CONSTRAINT;
  if (match_ < 0 && !inputs_.empty()) {
    const auto column = static_cast<std::size_t>(inputs_.front().column);
    throw Error(Code::invalid_argument,
                std::string("the condition on ") + kNames[column] + " needs a search beside it: WHERE " +
                    shape_.vectors.front().name + " MATCH <vector> AND " + kNames[column] + " = ...");
  }
  const int columns = declared_columns(shape_) + kHiddenColumns;
  const sqlite3_uint64 all = columns > 63 ? ~sqlite3_uint64{0} : (sqlite3_uint64{1} << columns) - 1;
  plan_.whole_rows = (info_->colUsed & all) == all;
  if (match_ < 0) {
    take_rows();
    take_distances();
    readable_ = (lookup_ ? "lookup" : "scan") + readable_;
    price_scan();
    order_scan();
    finish();
    return SQLITE_OK;
  }
  // Inputs come first: SQLite heeds `omit` for the first 16 arguments only, and cannot check these itself.
  const auto role = *role_of(shape_, constraint(match_).iColumn);
  const storage::VectorColumn& column = shape_.vectors[role.index];
  readable_ = "search " + column.name + " by " + std::string(index::name_of(column.metric));
  take(match_, {TermKind::match, Comparison::equal, constraint(match_).iColumn, ""}, true);
  bool own_transform = !column.transform.empty();
  for (const Input& input : inputs_) {
    if (plan_.find(input.kind) != nullptr)
      throw Error(Code::invalid_argument,
                  "an input of the search (k, transform or query_mean) is given twice");
    if (sqlite3_vtab_in(info_, input.constraint, -1) != 0) {
      throw Error(Code::invalid_argument, "k, transform and query_mean take one value: use = and not IN");
    }
    if (input.kind == TermKind::transform) own_transform = false;
    readable_ += input.kind == TermKind::k           ? ", k = ?"
                 : input.kind == TermKind::transform ? ", transform = ?"
                                                     : ", query_mean = ?";
    take(input.constraint, {input.kind, Comparison::equal, constraint(input.constraint).iColumn, ""}, true);
  }
  if (own_transform) readable_ += ", transform '" + column.transform + "'";
  take_distances();
  take_rows();
  price_search();
  order_search(column.metric);
  finish();
  return SQLITE_OK;
}

}  // namespace

int plan_query(const TableShape& shape, sqlite3_index_info* info) {
  return Planner(shape, info).run();
}

}  // namespace isovec::surface
