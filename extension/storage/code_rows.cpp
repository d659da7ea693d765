#include "storage/code_rows.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "codec/coarse_codes.hpp"
#include "db/interrupt.hpp"
#include "storage/block_reader.hpp"
#include "storage/checksum.hpp"
#include "storage/null_map.hpp"

namespace isovec::storage {
namespace {

static_assert(BlockCache::kAlignment % codec::kKeptAlignment == 0);

constexpr double kNoScore = std::numeric_limits<double>::quiet_NaN();

// Whether every slot of the group has a code that holds.
bool is_whole(const codec::CodeBlockView& block, const GroupMarks& marks, std::int64_t group) noexcept {
  if (block.rows() != codec::kBlockRows || marks.coded != codec::RowMask::first(codec::kBlockRows))
    return false;
  const auto first = static_cast<std::uint32_t>(group * kGroupSlots);
  std::uint32_t differences = 0;
  for (std::uint32_t row = 0; row < codec::kBlockRows; ++row)
    differences |= block.slots()[row] ^ (first + row);
  return differences == 0;
}

// The rows of a block whose code no longer holds. The slots of a block ascend and lie in its group.
codec::RowMask dead_rows(const codec::CodeBlockView& block, const GroupMarks& marks, std::size_t column,
                         std::int64_t group) {
  if (is_whole(block, marks, group)) return {};
  codec::RowMask dead;
  codec::RowMask coded;
  std::int64_t before = group * kGroupSlots - 1;
  for (std::size_t row = 0; row < block.rows(); ++row) {
    const auto slot = static_cast<std::int64_t>(block.slots()[row]);
    if (slot <= before || group_of(slot) != group) refuse_block(column, group, "of another group");
    before = slot;
    if (marks.coded.test(place_in_group(slot))) {
      coded.set(place_in_group(slot));
    } else {
      dead.set(row);
    }
  }
  if (coded != marks.coded) refuse_block(column, group, "of other rows than its marks");
  return dead;
}

void verify_once(const codec::CodeBlockView& block, std::size_t column, std::int64_t group,
                 Buffer<std::uint64_t>& verified) {
  const auto index = static_cast<std::size_t>(group);
  if (verified.size() <= index) verified.resize(index + 1);
  const std::uint64_t stored = load_u64(block.bytes().data());
  if (verified[index] == stored && stored != 0) return;
  block.verify(block_seed(column, group));
  verified[index] = stored;
}

// Calls visit(group) for each group that has a block.
template <typename Visit>
void visit_groups(const Buffer<GroupMarks>& marks, Visit&& visit) {
  for (std::size_t g = 0; g < marks.size(); ++g) {
    if (marks[g].has_block()) visit(static_cast<std::int64_t>(g), marks[g]);
  }
}

std::span<const std::byte> read_stored(BlockReader& reader, std::size_t column, std::int64_t group) {
  const auto bytes = reader.read(group);
  if (!bytes) refuse_block(column, group, "missing, or no BLOB");
  return *bytes;
}

// What a block of a column takes at most, whatever its distance and transform.
std::size_t largest_kept(std::size_t dimension) noexcept {
  return codec::kept_bytes({codec::CodeMetric::l2, true, dimension, codec::kBlockRows});
}

// Whether what is kept is what the snapshot has; if so, it is known of this history.
bool is_stored(BlockCache::Block& kept, BlockReader& reader, std::int64_t group, const State& state) {
  if (kept.history == state.history) return true;
  const auto block = codec::recall_block(kept.bytes);
  if (reader.read_checksum(group) != load_u64(block.bytes().data())) return false;
  kept.history = state.history;
  return true;
}

}  // namespace

void for_each_block(Store& store, std::size_t column, const Buffer<GroupMarks>& marks,
                    const VisitBlock& visit) {
  BlockReader reader(store, column, marks.size());
  Buffer<std::uint64_t>& verified = store.read_cache(column).verified_blocks;
  db::Interrupt interrupt(store.connection());
  visit_groups(marks, [&](std::int64_t group, const GroupMarks& of_group) {
    interrupt.poll();
    const std::span<const std::byte> bytes = read_stored(reader, column, group);
    const auto block = codec::CodeBlockView::parse(bytes);
    verify_once(block, column, group, verified);
    visit(block, dead_rows(block, of_group, column, group));
  });
}

// Kept are only blocks that were parsed and verified.
void for_each_kept_block(Store& store, std::size_t column, const State& state,
                         const Buffer<GroupMarks>& marks, const VisitBlock& visit) {
  BlockReader reader(store, column, marks.size());
  BlockCache& cache = store.blocks();
  // A search that no other follows does not pay for memory.
  if (std::exchange(store.read_cache(column).was_searched, true)) {
    cache.reserve(column, marks.size(), largest_kept(store.shape().vectors[column].dimension));
  }
  Buffer<std::uint64_t>& verified = store.read_cache(column).verified_blocks;
  db::Interrupt interrupt(store.connection());
  visit_groups(marks, [&](std::int64_t group, const GroupMarks& of_group) {
    interrupt.poll();
    BlockCache::Block* kept = cache.find(column, group);
    if (kept != nullptr && is_stored(*kept, reader, group, state)) {
      codec::add_coarse_codes(kept->bytes);
      const auto block = codec::recall_block(kept->bytes);
      return visit(block, dead_rows(block, of_group, column, group));
    }
    const std::span<const std::byte> bytes = read_stored(reader, column, group);
    const auto block = codec::CodeBlockView::parse(bytes);
    verify_once(block, column, group, verified);
    const std::span<std::byte> room =
        cache.keep(column, group, codec::kept_bytes(block.shape()), state.history);
    if (!room.empty()) codec::keep_block(block, room);
    visit(block, dead_rows(block, of_group, column, group));
  });
}

Buffer<RowHead> uncoded_rows(Store& store, std::size_t column, const State& state,
                             const Buffer<GroupMarks>& marks) {
  Buffer<RowHead> rows;
  SlotReader reader(store.statements());
  const auto add = [&](std::int64_t begin, std::int64_t end, const codec::RowMask& without) {
    for (std::int64_t slot = begin; slot < end; ++slot) {
      if (without.test(place_in_group(slot))) continue;
      if (const auto row = reader.row_in(slot)) rows.push_back({*row, slot});
    }
  };
  for (std::size_t g = 0; g < marks.size(); ++g) {
    if (marks[g].uncoded == 0) continue;
    const std::size_t before = rows.size();
    const auto first = static_cast<std::int64_t>(g) * kGroupSlots;
    codec::RowMask without = marks[g].coded;
    if (state.nulls > 0)
      without = without | read_null_page(store.statements(), column, static_cast<std::int64_t>(g)).mask();
    add(first, first + kGroupSlots, without);
    if (rows.size() - before != marks[g].uncoded)
      throw Error(Code::corrupt, "the code marks of group " + std::to_string(g) +
                                     " are not those of its rows: run 'rebuild'");
  }
  add(complete_groups(state) * kGroupSlots, state.slots, codec::RowMask());
  return rows;
}

void require_snapshot(Store& store, const State& state) {
  if (store.state() == state) return;
  throw db::SqliteFailure(SQLITE_ABORT_ROLLBACK,
                          "the rows of a search that is still being read were rolled back: run it again");
}

// SlotFetcher
// --------------------------------------------------------------------------------------------------------

SlotFetcher::SlotFetcher(Store& store, std::size_t column, const State& state, index::Scorer& scorer,
                         WithNorms with_norms, NormsBySlot given, Buffer<RowCondition> conditions)
    : store_(store),
      state_(state),
      scorer_(scorer),
      geometry_(store.shape(), column),
      conditions_(std::move(conditions)),
      // Testing one row costs as much as testing a dozen in a scan.
      tests_left_(1'000 + static_cast<std::size_t>(state.rows) / 16),
      slots_(store.statements()),
      reader_(store.connection(), store.shape(), column) {
  if (with_norms == WithNorms::yes) norm_reader_.emplace(store, column, state, given);
  if (conditions_.empty()) return;
  if (RowTest::is_possible(conditions_)) {
    test_.emplace(store_, conditions_);
  } else {
    test_all();
  }
}

void SlotFetcher::test_all() {
  passing_.assign(static_cast<std::size_t>(state_.slots), false);
  for (const RowHead& row : matching_rows(store_, conditions_)) {
    if (row.slot >= 0 && row.slot < state_.slots) passing_[static_cast<std::size_t>(row.slot)] = true;
  }
  test_.reset();
}

bool SlotFetcher::passes(std::int64_t slot, std::int64_t rowid) {
  if (conditions_.empty()) return true;
  if (test_ && tests_left_-- == 0) test_all();
  return test_ ? test_->passes(rowid) : passing_[static_cast<std::size_t>(slot)];
}

std::int64_t SlotFetcher::row_in(std::int64_t slot) {
  const auto row = slot < state_.slots ? slots_.row_in(slot) : std::nullopt;
  if (row) return *row;
  throw Error(Code::corrupt,
              "slot " + std::to_string(slot) + " has a code and no row: run the command 'rebuild'");
}

void SlotFetcher::fetch(std::span<const std::uint32_t> slots, std::span<index::Hit> hits) {
  require_snapshot(store_, state_);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const std::int64_t slot = slots[i];
    const std::int64_t row = row_in(slot);
    hits[i] = {kNoScore, row};
    if (!passes(slot, row)) continue;
    const std::byte* vector = reader_.read(slot, row).data();
    if (vector == nullptr) {
      throw Error(Code::corrupt, "the vector of row " + std::to_string(row) +
                                     " is NULL and has a code: run the command 'rebuild'");
    }
    double norm = 0;
    if (norm_reader_) norm_reader_->read({&slot, 1}, vector, geometry_.slot_bytes, {&norm, 1});
    const std::span<const double> norms(&norm, norm_reader_ ? 1 : 0);
    hits[i].score = scorer_.score({vector, geometry_.slot_bytes, {&row, 1}, norms}).front();
  }
}

}  // namespace isovec::storage
