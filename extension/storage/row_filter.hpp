#pragma once
// Conditions on the ordinary values of rows, run as SQL on t_rows: so they mean what they mean on any table.
// A filter may let a row pass that the full query refuses, since SQLite checks the rows it gets once more;
// never the reverse.

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
  Reading reading = Reading::any;
  std::optional<std::size_t> vector;  ///< A vector column in place of `column`; is_null and not_null only.
  /// Others by which an `in` may compare.
  std::vector<std::string> other_collations;
  /// It may compare by any collation, and then every text may pass.
  bool any_collation = false;
};

/// A query of t_rows in ascending id, or in no order where `in` has too many values for one statement; each
/// row once.
class RowQuery {
 public:
  enum class Order { by_id, any };
  /// Prepares "SELECT <columns> FROM t_rows WHERE <conditions>". The first column is id.
  RowQuery(Store& store, std::string columns, Buffer<RowCondition> conditions, Order order = Order::by_id);
  /// True while there is a row.
  [[nodiscard]] bool step();
  [[nodiscard]] const db::Statement& row() const noexcept { return statement_; }
  /// How many rows SQLite has looked at one after the other; 0 where it took an index or a key.
  [[nodiscard]] std::size_t scanned() const noexcept;

 private:
  void prepare_batch();
  void note_batch();
  Store& store_;
  std::string columns_;
  Buffer<RowCondition> conditions_;
  Order order_;
  std::size_t batched_;  // the condition whose values come in batches; conditions_.size() where none does
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
  /// Whether the conditions fit into one statement.
  [[nodiscard]] static bool is_possible(const Buffer<RowCondition>& conditions) noexcept;
  /// The values in `conditions` must outlive this.
  RowTest(Store& store, const Buffer<RowCondition>& conditions);
  [[nodiscard]] bool passes(std::int64_t rowid);

 private:
  Buffer<sqlite3_value*> values_;
  db::Statement statement_;
};

}  // namespace isovec::storage
