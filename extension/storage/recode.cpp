#include "storage/recode.hpp"

#include <algorithm>
#include <string>

#include "codec/vector_convert.hpp"
#include "db/interrupt.hpp"
#include "storage/null_map.hpp"
#include "storage/row_scan.hpp"

namespace isovec::storage {
namespace {

std::int64_t end_of_norms(const State& state) noexcept {
  return complete_groups(state) * kGroupSlots;
}

// Deletes the rows of a shadow table that belong to a column, from its number `first` on; not the lists of
// NULL vectors.
void erase_from(Store& store, Sql which, std::size_t column, std::int64_t first) {
  const auto begin = static_cast<std::int64_t>(column) * kColumnStride;
  store.statements().erase(which, begin + first, begin + kFirstNullPage);
}

void write_marks(Store& store, std::size_t column, std::span<const GroupMarks> marks) {
  for (std::size_t begin = 0; begin < marks.size(); begin += static_cast<std::size_t>(kGroupsPerPage)) {
    const auto groups =
        marks.subspan(begin, std::min(marks.size() - begin, static_cast<std::size_t>(kGroupsPerPage)));
    MarkPage page(column, static_cast<std::int64_t>(begin) / kGroupsPerPage);
    page.resize(groups.size());
    for (std::size_t i = 0; i < groups.size(); ++i) page.set(i, groups[i]);
    write_mark_page(store.statements(), page);
  }
}

void write_norms(Store& store, std::size_t column, std::span<const double> by_slot) {
  const auto per_page = static_cast<std::size_t>(kSlotsPerPage);
  for (std::size_t first = 0; first < by_slot.size(); first += per_page) {
    NormPage page(column, static_cast<std::int64_t>(first / per_page));
    const std::size_t end = std::min(by_slot.size(), first + per_page);
    for (std::size_t slot = first; slot < end; ++slot) page.set(slot - first, by_slot[slot]);
    write_norm_page(store.statements(), page);
  }
}

GroupMarks code_group(Store& store, const State& state, std::size_t column, std::int64_t group,
                      const GroupRows& rows, const Checkpoint& checkpoint, Buffer<double>* norms = nullptr) {
  GroupMarks marks;
  if (rows.slots.empty()) return marks;
  for (const std::int64_t slot : rows.slots) marks.coded.set(place_in_group(slot));
  const index::RowCoder& coder = store.coder(column, state);
  write_block(store.statements(), column, group,
              coder.encode(rows.vectors, rows.slots, block_seed(column, group), norms, checkpoint));
  return marks;
}

// Takes the rows of a column in the order of their slots and codes each group when it has them all.
class Recoder {
 public:
  Recoder(Store& store, const State& state, std::size_t column)
      : store_(store),
        state_(state),
        column_(column),
        declared_(store.shape().vectors[column]),
        transform_(store.transform(column, state)),
        checkpoint_(checkpoint_of_rows(store, transform_.get())),
        marks_(static_cast<std::size_t>(complete_groups(state))) {
    if (transform_ != nullptr) norms_.resize(static_cast<std::size_t>(end_of_norms(state)));
  }

  void run() {
    AllRows rows(store_, column_, state_, WithNorms::no);
    while (const auto batch = rows.next()) {
      for (std::size_t r = 0; r < batch->rowids.size(); ++r) {
        const std::int64_t slot = rows.first_slot() + static_cast<std::int64_t>(r);
        if (slot >= end_of_norms(state_)) break;
        if (!rows_.slots.empty() && group_of(rows_.slots.back()) != group_of(slot)) flush();
        rows_.slots.push_back(slot);
        rows_.vectors.resize(rows_.vectors.size() + declared_.dimension);
        codec::to_float32({declared_.type, declared_.dimension, batch->vectors + r * batch->stride},
                          std::span(rows_.vectors).last(declared_.dimension));
      }
    }
    flush();
    if (transform_ != nullptr) write_norms(store_, column_, norms_);
    if (declared_.coded) write_marks(store_, column_, marks_);
  }

 private:
  void flush() {
    if (rows_.slots.empty()) return;
    const std::int64_t group = group_of(rows_.slots.front());
    Buffer<double> norms(rows_.slots.size());
    if (declared_.coded) {
      marks_[static_cast<std::size_t>(group)] =
          code_group(store_, state_, column_, group, rows_, checkpoint_, &norms);
    } else if (transform_ != nullptr) {
      row_norms(*transform_, rows_.vectors, declared_.dimension, norms, checkpoint_);
    }
    for (std::size_t r = 0; transform_ != nullptr && r < norms.size(); ++r)
      norms_[static_cast<std::size_t>(rows_.slots[r])] = norms[r];
    rows_.slots.clear();
    rows_.vectors.clear();
  }

  Store& store_;
  const State& state_;
  std::size_t column_;
  const VectorColumn& declared_;
  std::shared_ptr<const Transform> transform_;
  Checkpoint checkpoint_;
  Buffer<GroupMarks> marks_;
  Buffer<double> norms_;
  GroupRows rows_;
};

// The page of norms that the complete groups end on, without those behind them.
void cut_norms(Store& store, const State& state, std::size_t column) {
  if (store.transform(column, state) == nullptr || end_of_norms(state) % kSlotsPerPage == 0) return;
  NormPage page = read_norm_page(store.statements(), column, norm_pages(state) - 1);
  for (std::size_t place = place_of(end_of_norms(state)); place < static_cast<std::size_t>(kSlotsPerPage);
       ++place) {
    page.set(place, 0);
  }
  write_norm_page(store.statements(), page);
}

}  // namespace

std::int64_t norm_pages(const State& state) noexcept {
  return (end_of_norms(state) + kSlotsPerPage - 1) / kSlotsPerPage;
}

Checkpoint checkpoint_of_rows(Store& store, const Transform* transform) {
  const std::size_t per_row = transform != nullptr ? multiplications_of(*transform) : 0;
  return db::checkpoint_of(store.connection(), index::RowCoder::kRowsAtOnce * per_row);
}

void row_norms(const Transform& transform, std::span<const float> rows, std::size_t dimension,
               std::span<double> norms, const Checkpoint& checkpoint) {
  constexpr std::size_t kRowsAtOnce = index::RowCoder::kRowsAtOnce;
  for (std::size_t begin = 0; begin < norms.size(); begin += kRowsAtOnce) {
    checkpoint();
    transform.row_norms(rows.data() + begin * dimension, dimension,
                        norms.subspan(begin, std::min(kRowsAtOnce, norms.size() - begin)));
  }
}

GroupRows read_group(Store& store, std::size_t column, std::int64_t group) {
  const VectorColumn& declared = store.shape().vectors[column];
  VectorReader reader(store.connection(), store.shape(), column);
  GroupRows rows;
  SlotReader slots(store.statements());
  for (std::int64_t slot = group * kGroupSlots; slot < (group + 1) * kGroupSlots; ++slot) {
    const std::optional<std::int64_t> row = slots.row_in(slot);
    if (!row) continue;
    const std::span<const std::byte> vector = reader.read(slot, *row);
    if (vector.empty()) continue;
    rows.slots.push_back(slot);
    rows.vectors.resize(rows.vectors.size() + declared.dimension);
    codec::to_float32({declared.type, declared.dimension, vector.data()},
                      std::span(rows.vectors).last(declared.dimension));
  }
  return rows;
}

void recode(Store& store, const State& state, std::size_t column) {
  store.statements().prepare_writes();
  for (const Sql which : {Sql::erase_norms, Sql::erase_marks, Sql::erase_codes})
    erase_from(store, which, column, 0);
  Recoder(store, state, column).run();
}

void recode_stale(Store& store, const State& before, const State& state, std::size_t column) {
  const std::int64_t groups = complete_groups(state);
  if (store.shape().vectors[column].coded) {
    Buffer<GroupMarks> marks = read_marks(store.statements(), column, before);
    marks.resize(static_cast<std::size_t>(groups));
    const Checkpoint checkpoint = checkpoint_of_rows(store, store.transform(column, state).get());
    for (std::int64_t group = 0; group < groups; ++group) {
      GroupMarks& of_group = marks[static_cast<std::size_t>(group)];
      if (of_group.uncoded > 0 || of_group.written > 0)
        of_group = code_group(store, state, column, group, read_group(store, column, group), checkpoint);
    }
    erase_from(store, Sql::erase_marks, column, 0);
    write_marks(store, column, marks);
    erase_from(store, Sql::erase_codes, column, groups);
  }
  cut_norms(store, state, column);
  erase_from(store, Sql::erase_norms, column, norm_pages(state));
}

}  // namespace isovec::storage
