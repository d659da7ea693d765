#include "storage/group_change.hpp"

#include <string>
#include <utility>

#include "codec/vector_convert.hpp"
#include "storage/chunk_store.hpp"
#include "storage/recode.hpp"

namespace isovec::storage {
namespace {

constexpr codec::RowMask kWholeGroup = codec::RowMask::first(codec::kBlockRows);

}  // namespace

// A row that joins an incomplete group concerns nobody until the group is complete.
void GroupChange::touch(Touch touch, std::span<const std::byte> vector) {
  const bool last_of_group = place_in_group(touch.slot) + 1 == static_cast<std::size_t>(kGroupSlots);
  if (group_of(touch.slot) >= complete_groups(before_) && !last_of_group) return;
  touch.vector.assign(vector.begin(), vector.end());
  touches_.push_back(std::move(touch));
}

void GroupChange::prepare(const State& after, const RowInSlot& row_in) {
  std::map<std::int64_t, std::uint32_t> groups;  // with the rows that had been written into them before
  for (const Touch& touch : touches_) {
    const std::int64_t group = group_of(touch.slot);
    if (group >= complete_groups(after)) continue;
    if (group >= complete_groups(before_)) {
      add_group(group, row_in);
      continue;
    }
    set_norm_of(touch);
    if (!coded()) continue;
    groups.emplace(group, marks_of(group).written);
    mark(touch);
  }
  for (const auto& [group, written_before] : groups) update_block(group, written_before, row_in);
}

void GroupChange::update_block(std::int64_t group, std::uint32_t written_before, const RowInSlot& row_in) {
  const GroupMarks marks = marks_of(group);
  if (marks.uncoded >= kMostUncoded || marks.written >= kMostWritten) {
    code_group(group, rows_of(group, kWholeGroup, row_in));
  } else if (!marks.has_block()) {
    blocks_.push_back({group, {}});
  } else if (marks.written / kWrittenAtOnce != written_before / kWrittenAtOnce) {
    code_in_place(group, row_in);
  }
}

void GroupChange::write() {
  Statements& statements = store_.statements();
  for (auto& [number, page] : norms_) write_norm_page(statements, page);
  for (auto& [number, page] : marks_) write_mark_page(statements, page);
  for (BlockEdit& edit : edits_) edit.write();
  for (const Block& block : blocks_) {
    if (block.bytes.empty()) {
      delete_block(statements, column_, block.group);
    } else {
      write_block(statements, column_, block.group, block.bytes);
    }
  }
}

// Marks
// -------------------------------------------------------------------------------------------------------

MarkPage& GroupChange::page_of_group(std::int64_t group) {
  const std::int64_t page = group / kGroupsPerPage;
  const auto known = marks_.find(page);
  if (known != marks_.end()) return known->second;
  return marks_.emplace(page, read_mark_page(store_.statements(), column_, page, before_)).first->second;
}

GroupMarks GroupChange::marks_of(std::int64_t group) {
  return page_of_group(group).group(static_cast<std::size_t>(group % kGroupsPerPage));
}

void GroupChange::set_marks(std::int64_t group, const GroupMarks& marks) {
  page_of_group(group).set(static_cast<std::size_t>(group % kGroupsPerPage), marks);
}

void GroupChange::mark(const Touch& touch) {
  const std::size_t place = place_in_group(touch.slot);
  GroupMarks marks = marks_of(group_of(touch.slot));
  const bool had_code = marks.coded.test(place);
  marks.coded.reset(place);
  const bool was_uncoded = touch.had_vector() && !had_code;
  const bool impossible = (had_code && !touch.had_vector()) || (was_uncoded && marks.uncoded == 0);
  if (impossible) {
    throw Error(Code::corrupt, "the code marks of slot " + std::to_string(touch.slot) + " of vector column " +
                                   std::to_string(column_) + " are not those of its row: run 'rebuild'");
  }
  if (was_uncoded) --marks.uncoded;
  if (touch.has_vector()) {
    ++marks.uncoded;
    ++marks.written;
  }
  set_marks(group_of(touch.slot), marks);
}

// Norms
// -------------------------------------------------------------------------------------------------------

void GroupChange::set_norm(std::int64_t slot, double norm) {
  const std::int64_t page = page_of(slot);
  auto known = norms_.find(page);
  if (known == norms_.end()) {
    std::optional<NormPage> found = find_norm_page(store_.statements(), column_, page);
    if (!found && place_of(slot) != 0) {
      static_cast<void>(read_norm_page(store_.statements(), column_, page));  // throws
    }
    known = norms_.emplace(page, found ? *std::move(found) : NormPage(column_, page)).first;
  }
  known->second.set(place_of(slot), norm);
}

// Of every slot of the group, so that there is a page for each: those of NULL vectors are 0.
void GroupChange::set_norms(std::int64_t group, std::span<const std::int64_t> slots,
                            std::span<const double> norms) {
  std::size_t next = 0;
  for (std::int64_t slot = group * kGroupSlots; slot < (group + 1) * kGroupSlots; ++slot) {
    const bool has_norm = next < slots.size() && slots[next] == slot;
    set_norm(slot, has_norm ? norms[next++] : 0);
  }
}

void GroupChange::set_norm_of(const Touch& touch) {
  if (transform() == nullptr) return;
  if (!touch.has_vector()) return set_norm(touch.slot, 0);
  const VectorColumn& declared = store_.shape().vectors[column_];
  Buffer<float> floats(declared.dimension);
  codec::to_float32({declared.type, declared.dimension, touch.vector.data()}, floats);
  set_norm(touch.slot, transform()->row_norm(floats));
}

// Groups
// --------------------------------------------------------------------------------------------------------

const Buffer<std::byte>* GroupChange::pending(std::int64_t slot) const {
  for (auto touch = touches_.rbegin(); touch != touches_.rend(); ++touch) {
    if (touch->slot == slot && touch->event != Event::erase) return &touch->vector;
  }
  return nullptr;
}

GroupChange::Rows GroupChange::rows_of(std::int64_t group, const codec::RowMask& places,
                                       const RowInSlot& row_in) const {
  const VectorColumn& declared = store_.shape().vectors[column_];
  VectorReader reader(store_.connection(), store_.shape(), column_);
  Rows rows;
  rows.vectors.reserve(places.count() * declared.dimension);
  for (std::int64_t slot = group * kGroupSlots; slot < (group + 1) * kGroupSlots; ++slot) {
    if (!places.test(place_in_group(slot))) continue;
    const std::optional<std::int64_t> row = row_in(slot);
    if (!row) continue;
    const Buffer<std::byte>* given = pending(slot);
    const std::span<const std::byte> vector =
        given != nullptr ? std::span<const std::byte>(*given) : reader.read(slot, *row);
    if (vector.empty()) continue;
    rows.slots.push_back(slot);
    rows.vectors.resize(rows.vectors.size() + declared.dimension);
    codec::to_float32({declared.type, declared.dimension, vector.data()},
                      std::span(rows.vectors).last(declared.dimension));
  }
  return rows;
}

// The group that this change completes.
void GroupChange::add_group(std::int64_t group, const RowInSlot& row_in) {
  const std::shared_ptr<const Transform> known = transform();
  if (known == nullptr && !coded()) return;
  const Rows rows = rows_of(group, kWholeGroup, row_in);
  Buffer<double> norms(rows.slots.size());
  if (coded()) {
    page_of_group(group).resize(static_cast<std::size_t>(group % kGroupsPerPage) + 1);
    code_group(group, rows, &norms);
  } else {
    row_norms(*known, rows.vectors, store_.shape().vectors[column_].dimension, norms,
              checkpoint_of_rows(store_, known.get()));
  }
  if (known != nullptr) set_norms(group, rows.slots, norms);
}

void GroupChange::code_group(std::int64_t group, const Rows& rows, Buffer<double>* norms) {
  GroupMarks marks;
  for (const std::int64_t slot : rows.slots) marks.coded.set(place_in_group(slot));
  set_marks(group, marks);
  if (rows.slots.empty()) {
    blocks_.push_back({group, {}});
    return;
  }
  const Checkpoint checkpoint = checkpoint_of_rows(store_, transform().get());
  const index::RowCoder& coder = store_.coder(column_, before_);
  blocks_.push_back(
      {group, coder.encode(rows.vectors, rows.slots, block_seed(column_, group), norms, checkpoint)});
}

// The rows without a code, as far as the block has their slots.
void GroupChange::code_in_place(std::int64_t group, const RowInSlot& row_in) {
  GroupMarks marks = marks_of(group);
  const Rows rows = rows_of(group, ~marks.coded, row_in);
  if (rows.slots.size() != marks.uncoded) {
    throw Error(Code::corrupt, "the code marks of group " + std::to_string(group) + " of vector column " +
                                   std::to_string(column_) + " are not those of its rows: run 'rebuild'");
  }
  BlockEdit edit(store_, column_, group);
  const codec::RowMask coded = edit.code(store_.coder(column_, before_), rows.slots, rows.vectors,
                                         checkpoint_of_rows(store_, transform().get()));
  if (coded == codec::RowMask()) return;
  codec::for_each_row(coded, [&](std::size_t place) { marks.coded.set(place); });
  marks.uncoded -= static_cast<std::uint32_t>(coded.count());
  set_marks(group, marks);
  edits_.push_back(std::move(edit));
}

}  // namespace isovec::storage
