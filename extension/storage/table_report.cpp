#include "storage/table_report.hpp"

#include <algorithm>

#include "codec/vector_blob.hpp"
#include "storage/code_groups.hpp"
#include "storage/null_map.hpp"
#include "storage/row_scan.hpp"
#include "storage/schema.hpp"

namespace isovec::storage {
namespace {

// Floating-point elements are zero also where their sign is set: it is the highest bit of the last byte.
bool is_zero(const codec::VectorView& vector) noexcept {
  const std::span<const std::byte> bytes = vector.bytes();
  const std::size_t element_bytes = codec::bits_of(vector.type) / 8;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const bool has_sign = codec::is_floating(vector.type) && i % element_bytes == element_bytes - 1;
    const std::byte mask = has_sign ? std::byte{0x7F} : std::byte{0xFF};
    if ((bytes[i] & mask) != std::byte{0}) return false;
  }
  return true;
}

std::int64_t stored_bytes(Store& store, const char* table, std::size_t column) {
  db::Statement bytes(store.connection(), "SELECT total(length(data)) FROM " + shadow(store.shape(), table) +
                                              " WHERE id >= ?1 AND id < ?2");
  const auto first = static_cast<std::int64_t>(column) * kColumnStride;
  bytes.bind(1, first).bind(2, first + kColumnStride);
  return bytes.step() ? bytes.integer(0) : 0;
}

}  // namespace

ColumnReport report_column(Store& store, const State& state, std::size_t column) {
  ColumnReport report;
  if (const auto record = read_transform(store.statements(), column, state)) {
    report.fitted = record->spec;
    report.rows_at_fit = record->rows;
  }
  report.raw_bytes = stored_bytes(store, "chunks", column);
  report.code_bytes = stored_bytes(store, "codes", column);
  if (state.nulls > 0) report.nulls = count_nulls(store.statements(), column);
  report.tail = state.rows - report.nulls;
  if (store.shape().vectors[column].coded) {
    for (const GroupMarks& marks : read_marks(store.statements(), column, state)) {
      report.tail -= static_cast<std::int64_t>(marks.coded.count());
    }
  }
  return report;
}

std::int64_t count_undefined(Store& store, const State& state, std::size_t column) {
  const VectorColumn& declared = store.shape().vectors[column];
  const std::shared_ptr<const Transform> transform = store.transform(column, state);
  const bool unit = transform != nullptr && transform->parts().normalize != Normalize::none;
  if (declared.metric != index::Metric::cosine && !unit) return 0;
  std::int64_t count = 0;
  AllRows rows(store, column, state, transform != nullptr ? WithNorms::yes : WithNorms::no);
  while (const auto batch = rows.next()) {
    for (const double norm : batch->norms) count += norm == 0 ? 1 : 0;
    for (std::size_t r = 0; transform == nullptr && r < batch->rowids.size(); ++r) {
      const std::byte* vector = batch->vectors + r * batch->stride;
      count += is_zero({declared.type, declared.dimension, vector}) ? 1 : 0;
    }
  }
  return count;
}

}  // namespace isovec::storage
