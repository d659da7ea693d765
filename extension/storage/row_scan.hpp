#pragma once
// The rows of a table as a search or a fit reads them: whole chunks in the order of slots, each vector
// checked.

#include <memory>
#include <optional>
#include <vector>

#include "index/row_source.hpp"
#include "storage/chunk_store.hpp"
#include "storage/norm_store.hpp"
#include "storage/slot_map.hpp"
#include "storage/store.hpp"

namespace isovec::storage {

/// Whether a source gives the stored norms along.
enum class WithNorms { no, yes };

/// The norms of slots, read page by page.
class NormReader {
 public:
  NormReader(Statements& statements, std::size_t column) : statements_(statements), column_(column) {}
  [[nodiscard]] double norm(std::int64_t slot);

 private:
  Statements& statements_;
  std::size_t column_;
  std::optional<NormPage> page_;
};

/// All rows of a column.
class AllRows final : public index::RowSource {
 public:
  AllRows(Store& store, std::size_t column, const State& state, WithNorms with_norms);
  std::optional<index::RowBatch> next() override;
  /// The slot of the batch's first row; the others follow it.
  [[nodiscard]] std::int64_t first_slot() const noexcept { return first_slot_; }

 private:
  [[nodiscard]] bool next_chunk();
  [[nodiscard]] std::optional<std::int64_t> row_in(std::int64_t slot);

  Statements& statements_;
  ChunkGeometry geometry_;
  std::int64_t slots_;
  std::int64_t rows_left_;
  db::Statement chunks_;
  std::int64_t chunk_ = -1;
  std::span<const std::byte> data_;
  std::size_t place_ = 0;
  std::size_t places_ = 0;
  std::int64_t first_slot_ = 0;
  std::optional<SlotPage> page_;
  std::optional<NormReader> norm_reader_;
  std::vector<std::int64_t> rowids_;
  std::vector<double> norms_;
};

/// Chosen rows of a column, in the order of their slots.
class ChosenRows final : public index::RowSource {
 public:
  /// Requires rows sorted by slot.
  ChosenRows(Store& store, std::size_t column, const State& state, std::vector<RowHead> rows,
             WithNorms with_norms);
  std::optional<index::RowBatch> next() override;

 private:
  void read_chunk(std::size_t end, std::int64_t chunk);

  ChunkGeometry geometry_;
  std::int64_t slots_;
  std::vector<RowHead> rows_;
  std::size_t position_ = 0;
  db::Statement whole_;
  VectorReader reader_;
  std::optional<NormReader> norm_reader_;
  std::vector<std::byte> vectors_;
  std::vector<std::int64_t> rowids_;
  std::vector<double> norms_;
};

}  // namespace isovec::storage
