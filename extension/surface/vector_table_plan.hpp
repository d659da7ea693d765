#pragma once
// How a query of an isovec table is run: what xBestIndex hands to xFilter. The plan travels as the text of
// idxStr, which EXPLAIN QUERY PLAN shows.

#include <cstdint>
#include <isovec/buffer.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "storage/row_filter.hpp"

namespace isovec::surface {

/// What an argument of xFilter is.
enum class TermKind : char {
  match = 'M',       ///< The query vector.
  k = 'K',           ///< How many rows.
  transform = 'T',   ///< 'none' or a transform.
  query_mean = 'Q',  ///< Another mean for the query.
  distance = 'D',    ///< A bound on the distance.
  row = 'R',         ///< A condition on t_rows.
};

struct PlanTerm {
  TermKind kind = TermKind::match;
  storage::Comparison comparison = storage::Comparison::equal;
  int column = -1;        ///< Of the table; -1 is the rowid.
  std::string collation;  ///< Of a row condition; empty for BINARY.

  friend bool operator==(const PlanTerm&, const PlanTerm&) = default;
};

struct Plan {
  /// The terms in the order of xFilter's arguments.
  Buffer<PlanTerm> terms;
  /// Every column is read, as UPDATE .. FROM does: an input that was not given is NULL, the transform too.
  bool whole_rows = false;
  /// The rows come in descending similarity, not in ascending distance, which rounding makes the same for
  /// some.
  bool by_similarity = false;
  /// The columns that are read of each row of the answer, by read_bit(), and perhaps of no other row. Not
  /// those that only the order hangs on, or conditions that SQLite need not look at.
  std::uint64_t reads = 0;

  [[nodiscard]] const PlanTerm* find(TermKind kind) const noexcept;
  friend bool operator==(const Plan&, const Plan&) = default;
};

/// The bit of a column in masks such as sqlite3_index_info::colUsed: the last stands for all beyond it.
[[nodiscard]] constexpr std::uint64_t read_bit(int column) noexcept {
  return std::uint64_t{1} << (column < 63 ? column : 63);
}

/// `readable` for people, then the plan for decode_plan().
[[nodiscard]] std::string encode_plan(const Plan& plan, std::string_view readable);
/// Throws Error where the text is no plan.
[[nodiscard]] Plan decode_plan(std::string_view text);

}  // namespace isovec::surface
