#include "storage/row_store.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "db/interrupt.hpp"
#include "db/value.hpp"
#include "storage/checksum.hpp"
#include "storage/state.hpp"

namespace isovec::storage {
namespace {

constexpr std::uint64_t kRowSeed = 0x726f7773;      // "rows"
constexpr std::uint64_t kAuxiliarySeed = 0x617578;  // "aux"

// An integral REAL and the INTEGER of that value count as one, since the affinity of the column may turn one
// into the other.
void add_number(RecordChecksum& sum, const db::Value& value, Affinity affinity) {
  double real = value.real();
  if (value.type() == SQLITE_INTEGER) {
    if (affinity != Affinity::real) return sum.add(value.integer());
    real = static_cast<double>(value.integer());
  }
  const bool integral = real >= -0x1p63 && real < 0x1p63 && std::trunc(real) == real;
  if (integral) return sum.add(static_cast<std::int64_t>(real));
  sum.add(real);
}

// Adds a value in the form in which a column of this affinity stores it.
void add_value(RecordChecksum& sum, sqlite3_value* handle, Affinity affinity) {
  const bool numeric =
      affinity == Affinity::numeric || affinity == Affinity::integer || affinity == Affinity::real;
  if (numeric) sqlite3_value_numeric_type(handle);
  const db::Value value(handle);
  switch (value.type()) {
    case SQLITE_INTEGER:
    case SQLITE_FLOAT:
      if (affinity == Affinity::text) return sum.add(value.text());
      return add_number(sum, value, affinity);
    case SQLITE_TEXT:
      return sum.add(value.text());
    case SQLITE_BLOB:
      return sum.add(value.blob());
    default:
      return sum.add_null();
  }
}

[[noreturn]] void refuse_row(std::int64_t id) {
  throw Error(Code::corrupt, "the stored values of row " + std::to_string(id) + " are damaged");
}

}  // namespace

std::uint64_t RowVerifier::checksum_of(const RowHead& head, std::span<sqlite3_value* const> values) const {
  RecordChecksum sum(kRowSeed);
  sum.add(head.id);
  sum.add(head.slot);
  for (std::size_t i = 0; i < values.size(); ++i) add_value(sum, values[i], columns_[i].affinity);
  return sum.value();
}

RowHead RowVerifier::verify(const db::Statement& row) const {
  const RowHead head{row.integer(0), row.integer(1)};
  const int hash = kFirstValue + static_cast<int>(columns_.size());
  const bool possible = head.slot >= 0 && head.slot < kMostSlots;
  if (row.type(1) != SQLITE_INTEGER || row.type(hash) != SQLITE_INTEGER || !possible) refuse_row(head.id);
  RecordChecksum sum(kRowSeed);
  sum.add(head.id);
  sum.add(head.slot);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    add_value(sum, row.value(kFirstValue + static_cast<int>(i)), columns_[i].affinity);
  }
  if (sum.value() != static_cast<std::uint64_t>(row.integer(hash))) refuse_row(head.id);
  return head;
}

std::uint64_t RowVerifier::auxiliary_checksum(std::int64_t id, std::span<sqlite3_value* const> values,
                                              const TableShape& shape) {
  RecordChecksum sum(kAuxiliarySeed);
  sum.add(id);
  for (std::size_t i = 0; i < values.size(); ++i)
    add_value(sum, values[i], affinity_of(shape.auxiliary[i].type));
  return sum.value();
}

void RowVerifier::verify_auxiliary(const db::Statement& row, const TableShape& shape) {
  Buffer<sqlite3_value*> values;
  for (std::size_t i = 0; i < shape.auxiliary.size(); ++i)
    values.push_back(row.value(1 + static_cast<int>(i)));
  const int hash = 1 + static_cast<int>(values.size());
  const std::uint64_t sum = auxiliary_checksum(row.integer(0), values, shape);
  if (row.type(hash) != SQLITE_INTEGER || static_cast<std::uint64_t>(row.integer(hash)) != sum) {
    throw Error(Code::corrupt,
                "the auxiliary values of row " + std::to_string(row.integer(0)) + " are damaged");
  }
}

std::optional<RowHead> find_row(Statements& statements, const RowVerifier& verifier, std::int64_t id) {
  const db::Run run(statements[Sql::read_row]);
  run->bind(1, id);
  if (!run->step()) return std::nullopt;
  return verifier.verify(*run);
}

std::optional<std::int64_t> find_key(Statements& statements, sqlite3_value* key) {
  const db::Run run(statements[Sql::find_key]);
  run->bind(1, key);
  if (!run->step()) return std::nullopt;
  return run->integer(0);
}

void sort_by_slot(sqlite3* db, Buffer<RowHead>& rows) {
  constexpr std::uint32_t kComparisons = 4'096;
  db::Interrupt interrupt(db);
  std::uint32_t comparisons = 0;
  std::sort(rows.begin(), rows.end(), [&](const RowHead& a, const RowHead& b) {
    if (++comparisons % kComparisons == 0) interrupt.poll();
    return a.slot < b.slot;
  });
}

std::int64_t free_id(Statements& statements, std::uint64_t history) {
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  {
    const db::Run run(statements[Sql::greatest_id]);
    if (!run->step() || run->is_null(0)) return 1;
    const std::int64_t greatest = run->integer(0);
    if (greatest < kLast) return greatest + 1;
  }
  // The last id is taken: probe positive ids in an order that the table's history decides, so that the same
  // operations choose the same ids everywhere.
  for (std::uint64_t probe = 0;; ++probe) {
    RecordChecksum draw(history);
    draw.add(static_cast<std::int64_t>(probe));
    const std::int64_t id = static_cast<std::int64_t>(draw.value() >> 1) | 1;
    const db::Run run(statements[Sql::read_row]);
    run->bind(1, id);
    if (!run->step()) return id;
  }
}

}  // namespace isovec::storage
