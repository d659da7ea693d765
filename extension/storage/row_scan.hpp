#pragma once
// The rows of a table as a search or a fit reads them: whole chunks in the order of slots, each vector
// checked. Rows whose vector is NULL are passed over. Between batches they look whether the user has asked to
// stop.

#include <isovec/buffer.hpp>
#include <memory>
#include <optional>

#include "db/interrupt.hpp"
#include "index/row_source.hpp"
#include "storage/chunk_store.hpp"
#include "storage/code_groups.hpp"
#include "storage/norm_store.hpp"
#include "storage/slot_map.hpp"
#include "storage/store.hpp"

namespace isovec::storage {

/// What a row costs under a transform.
[[nodiscard]] inline std::size_t multiplications_of(const Transform& transform) noexcept {
  return transform.parts().linear.size();
}

/// Whether a source gives norms along.
enum class WithNorms { no, yes };

/// Norms under a transform that came with a query, by slot; empty for the stored ones.
using NormsBySlot = std::span<const double>;

/// The norms of rows under their column's transform: those of complete groups are read page by page, the
/// others computed and remembered.
class NormReader {
 public:
  NormReader(Store& store, std::size_t column, const State& state, NormsBySlot given = {});
  /// norms[r] of the row in slots[r], whose vector stands at vectors + r * stride behind its checksum.
  void read(std::span<const std::int64_t> slots, const std::byte* vectors, std::size_t stride,
            std::span<double> norms);

 private:
  [[nodiscard]] double stored(std::int64_t slot);
  void compute(const Buffer<std::size_t>& which, std::span<const std::int64_t> slots,
               const std::byte* vectors, std::size_t stride, std::span<double> norms);

  Statements& statements_;
  std::size_t column_;
  const VectorColumn& declared_;
  std::int64_t first_computed_;
  std::shared_ptr<const Transform> transform_;
  ReadCache& cache_;
  std::optional<NormPage> page_;
  NormsBySlot given_;
};

/// All rows of a column.
class AllRows final : public index::RowSource {
 public:
  AllRows(Store& store, std::size_t column, const State& state, WithNorms with_norms, NormsBySlot given = {});
  std::optional<index::RowBatch> next() override;
  /// Of the reader, for each row: so many multiplications.
  void expect_work(std::size_t multiplications) noexcept { work_ = multiplications; }
  /// The slot of the batch's first row; the others follow it.
  [[nodiscard]] std::int64_t first_slot() const noexcept { return first_slot_; }

 private:
  [[nodiscard]] bool next_chunk();

  ChunkGeometry geometry_;
  std::int64_t slots_;
  std::int64_t rows_left_;
  db::Statement own_;  // where the table's statement is busy with another scan
  db::Run chunks_;
  std::int64_t chunk_ = -1;
  std::span<const std::byte> data_;
  std::size_t place_ = 0;
  std::size_t places_ = 0;
  std::int64_t first_slot_ = 0;
  SlotReader slot_reader_;
  db::Interrupt interrupt_;
  std::size_t work_ = 0;
  std::optional<NormReader> norm_reader_;
  Buffer<std::int64_t> rowids_;
  Buffer<std::int64_t> batch_slots_;
  Buffer<double> norms_;
};

/// Chosen rows of a column, in the order of their slots.
class ChosenRows final : public index::RowSource {
 public:
  /// Requires rows sorted by slot.
  ChosenRows(Store& store, std::size_t column, const State& state, Buffer<RowHead> rows, WithNorms with_norms,
             NormsBySlot given = {});
  std::optional<index::RowBatch> next() override;
  /// Of the reader, for each row: so many multiplications.
  void expect_work(std::size_t multiplications) noexcept { work_ = multiplications; }

 private:
  void read_chunk(std::size_t end, std::int64_t chunk);

  ChunkGeometry geometry_;
  std::int64_t slots_;
  Buffer<RowHead> rows_;
  std::size_t position_ = 0;
  db::Statement whole_;
  db::Interrupt interrupt_;
  std::size_t work_ = 0;
  VectorReader reader_;
  std::optional<NormReader> norm_reader_;
  Buffer<std::byte> vectors_;  // each behind its checksum
  Buffer<std::int64_t> rowids_;
  Buffer<std::int64_t> batch_slots_;
  Buffer<double> norms_;
};

}  // namespace isovec::storage
