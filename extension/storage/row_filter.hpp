#pragma once
// Conditions on the ordinary values of rows, run as SQL on t_rows: so they mean what they mean on any table.
// A filter may let a row pass that the full query refuses, since SQLite checks the rows it gets once more;
// never the reverse.

#include <algorithm>
#include <functional>
#include <isovec/buffer.hpp>
#include <limits>
#include <optional>
#include <string>

#include "storage/row_store.hpp"
#include "storage/store.hpp"

namespace isovec::storage {

enum class Comparison : char {
  equal = '=',
  not_equal = '!',
  less = '<',
  less_equal = 'l',
  greater = '>',
  greater_equal = 'g',
  is = 'i',
  is_not = 'n',
  is_null = 'N',
  not_null = 'V',
  like = 'L',
  glob = 'G',
  in = 'I',
};

/// How SQLite compares hangs on the affinity of the other side, which a table is not told. Either every row
/// passes of which the comparison may be true, for SQLite to look again, or those of which it is true where
/// the other side has no affinity: a parameter, a literal, the result of a function.
enum class Reading { any, without_affinity };

/// One condition: a column of t_rows, a comparison, and what it is compared with; or whether a vector is
/// NULL.
struct RowCondition {
  std::string column;  ///< "id", "key", "p0", "m3"
  Affinity affinity = Affinity::integer;
  Comparison comparison = Comparison::equal;
  std::string collation;          ///< Empty for BINARY.
  Buffer<sqlite3_value*> values;  ///< One; none for is_null and not_null; any number for in.
  Buffer<std::int64_t> ids;       ///< In their place, ascending, for an `in` of the id.
  Reading reading = Reading::any;
  std::optional<std::size_t> vector;  ///< A vector column in place of `column`; is_null and not_null only.
  /// Others by which an `in` may compare.
  std::vector<std::string> other_collations;
  /// It may compare by any collation, and then every text may pass.
  bool any_collation = false;
};

/// The ids that every `in` of the id among some conditions has, ascending; nothing where there is no such
/// condition. The others are left for SQL.
struct SplitConditions {
  explicit SplitConditions(const Buffer<RowCondition>& conditions);
  [[nodiscard]] bool admits(std::int64_t id) const noexcept {
    return !ids || std::binary_search(ids->begin(), ids->end(), id);
  }
  std::optional<Buffer<std::int64_t>> ids;
  Buffer<RowCondition> others;
};

/// A query of t_rows in ascending id, or in no order where `in` has too many values for one statement; each
/// row once.
class RowQuery {
 public:
  enum class Order { by_id, any };
  /// Prepares "SELECT <columns> FROM t_rows WHERE <conditions>". The first column is id.
  RowQuery(Store& store, std::string columns, const Buffer<RowCondition>& conditions,
           Order order = Order::by_id);
  /// True while there is a row.
  [[nodiscard]] bool step();
  [[nodiscard]] const db::Statement& row() const noexcept { return statement_; }
  /// How many of the table's `rows` rows will likely have been found in the end, where `found` have been; 0
  /// where nothing tells.
  [[nodiscard]] double expected(std::size_t found, std::size_t rows) const noexcept;

 private:
  void prepare_batch();
  void note_batch();
  void bind_values();
  [[nodiscard]] bool step_by_ids();
  [[nodiscard]] bool step_batches();
  Store& store_;
  std::string columns_;
  SplitConditions split_;
  Order order_;
  bool by_ids_;  // ids are looked up one by one
  std::size_t next_id_ = 0;
  std::size_t batched_;  // of split_.others, whose values come in batches; their number where none does
  std::size_t batch_begin_ = 0;
  std::size_t next_value_ = 0;
  std::size_t batch_;  // values of the next batch
  bool more_ = true;
  // A row may meet values of several batches: '1' and 1, or 'a' and 'A'.
  Buffer<std::int64_t> earlier_;  // ids that earlier batches gave, in order
  Buffer<std::int64_t> latest_;   // ids that this one gave
  std::string sql_;
  db::Statement statement_;
};

/// The rows that meet all conditions, by slot.
[[nodiscard]] Buffer<RowHead> matching_rows(Store& store, const Buffer<RowCondition>& conditions);

/// The same, but nothing where there are more than `most`, or where the first of the table's `rows` rows
/// already say that there are likely far more.
[[nodiscard]] std::optional<Buffer<RowHead>> few_matching_rows(Store& store,
                                                               const Buffer<RowCondition>& conditions,
                                                               std::size_t most, std::size_t rows);

/// Whether single rows meet conditions.
class RowTest {
 public:
  /// Whether the conditions fit into one statement, but for those on ids, which are no part of it.
  [[nodiscard]] static bool is_possible(const Buffer<RowCondition>& conditions) noexcept;
  /// The values in `conditions` must outlive this.
  RowTest(Store& store, const Buffer<RowCondition>& conditions);
  [[nodiscard]] bool passes(std::int64_t rowid);

 private:
  SplitConditions split_;
  Buffer<sqlite3_value*> values_;
  db::Statement statement_;  // not prepared where ids are all there is
};

}  // namespace isovec::storage
