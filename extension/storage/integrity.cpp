#include "storage/integrity.hpp"

#include <algorithm>
#include <bit>

#include "codec/vector_blob.hpp"
#include "codec/vector_convert.hpp"
#include "db/interrupt.hpp"
#include "storage/code_rows.hpp"
#include "storage/null_map.hpp"
#include "storage/recode.hpp"
#include "storage/refit.hpp"
#include "storage/row_scan.hpp"
#include "storage/schema.hpp"

namespace isovec::storage {
namespace {

class Checker {
 public:
  Checker(Store& store, std::size_t most, Depth depth)
      : store_(store), most_(most), depth_(depth), interrupt_(store.connection()) {}
  Buffer<std::string> run() {
    // Each check that needs the state runs only when it could be read.
    check([&] {
      verify_tables(store_.connection(), store_.shape());
      state_ = store_.state();
    });
    if (!found_.empty()) return found_;
    check([&] { check_config(); });
    check([&] { check_slots(); });
    rows_.resize(static_cast<std::size_t>(state_.slots));  // as far as the pages could be read
    check([&] { check_room(); });
    check([&] { check_rows(); });
    const bool whole = depth_ == Depth::whole;
    if (whole && has_auxiliary(store_.shape())) check([&] { check_auxiliary(); });
    for (std::size_t c = 0; c < store_.shape().vectors.size(); ++c) {
      check([&] { whole ? check_vectors(c) : check_marks(c); });
    }
    check([&] { require_null_pages(store_.statements(), store_.shape(), state_); });
    check([&] { check_strays(); });
    return found_;
  }

 private:
  // Runs a check; what it throws as damage is one finding. Other failures pass.
  template <typename Body>
  void check(Body&& body) {
    if (found_.size() >= most_) return;
    try {
      body();
    } catch (const Error& error) {
      found_.emplace_back(error.what());
    }
  }
  void require(bool holds, const std::string& sentence) {
    if (!holds) throw Error(Code::corrupt, sentence);
  }
  [[nodiscard]] db::Statement query(const std::string& sql) const {
    return db::Statement(store_.connection(), sql);
  }
  [[nodiscard]] std::string table(const char* suffix) const { return shadow(store_.shape(), suffix); }

  void check_config();
  void check_slots();
  void check_room();
  void check_rows();
  void check_auxiliary();
  void check_vectors(std::size_t column);
  void check_slots_of(std::size_t column);
  void check_nulls(std::size_t column);
  void check_norms(std::size_t column, const Transform& transform);
  void check_codes(std::size_t column);
  void check_marks(std::size_t column);
  void check_marks(std::size_t column, const Buffer<GroupMarks>& marks);
  void check_strays();

  Store& store_;
  std::size_t most_;
  Depth depth_;
  db::Interrupt interrupt_;
  State state_;
  Buffer<std::string> found_;
  Buffer<std::optional<std::int64_t>> rows_;  // by slot
  Buffer<bool> nulls_;                        // by slot, of the column at hand
  std::int64_t blocks_ = 0;                   // of codes that the marks tell of
};

void Checker::check_config() {
  db::Statement keys = query("SELECT key FROM " + table("config") + " ORDER BY key");
  Buffer<std::string> names;
  while (keys.step()) names.push_back(keys.text(0));
  require(names == Buffer<std::string>{"format", "shape", "state"},
          "the config has other entries than it should");
  db::Statement format = query("SELECT value FROM " + table("config") + " WHERE key = 'format'");
  require(format.step() && format.integer(0) == format_of(state_),
          "the format that is recorded is not that of a table with " + std::to_string(state_.nulls) +
              " NULL vectors: run 'rebuild'");
}

void Checker::check_slots() {
  db::Statement pages = query("SELECT page, map, typeof(map) FROM " + table("slots") + " ORDER BY page");
  std::int64_t expected = 0;
  while (pages.step()) {
    require(pages.integer(0) == expected,
            "the slot map has a gap or a stray page at " + std::to_string(expected));
    require(pages.text(2) == "blob", "page " + std::to_string(expected) + " of the slot map is no BLOB");
    const SlotPage page(expected, pages.blob(1));
    for (std::size_t place = 0; place < static_cast<std::size_t>(kSlotsPerPage); ++place) {
      rows_.push_back(page.row(place));
    }
    ++expected;
  }
  const auto used =
      std::count_if(rows_.begin(), rows_.end(), [](const auto& row) { return row.has_value(); });
  require(used == state_.rows, "the slot map holds " + std::to_string(used) + " rows and the table counts " +
                                   std::to_string(state_.rows));
  require(expected == (state_.slots + kSlotsPerPage - 1) / kSlotsPerPage,
          "the slot map has too many or too few pages");
  for (std::size_t slot = static_cast<std::size_t>(state_.slots); slot < rows_.size(); ++slot) {
    require(!rows_[slot], "slot " + std::to_string(slot) + " is used, beyond the last");
  }
}

void Checker::check_room() {
  Buffer<std::int64_t> expected;
  for (std::size_t slot = 0; slot < rows_.size(); ++slot) {
    if (slot % codec::kBlockRows == 0) interrupt_.poll();
    const std::int64_t page = page_of(static_cast<std::int64_t>(slot));
    if (!rows_[slot] && (expected.empty() || expected.back() != page)) expected.push_back(page);
  }
  db::Statement pages = query("SELECT page FROM " + table("room") + " ORDER BY page");
  Buffer<std::int64_t> there;
  while (pages.step()) there.push_back(pages.integer(0));
  require(there == expected, "the list of pages with free slots is not that of the slot map");
}

void Checker::check_rows() {
  db::Statement rows =
      query("SELECT " + row_select(store_.shape()) + " FROM " + table("rows") + " ORDER BY id");
  std::int64_t count = 0;
  while (rows.step()) {
    const RowHead head = store_.verifier().verify(rows);
    const bool agrees = head.slot < state_.slots && rows_[static_cast<std::size_t>(head.slot)] == head.id;
    require(agrees, "row " + std::to_string(head.id) + " says slot " + std::to_string(head.slot) +
                        ", and the slot map says otherwise");
    ++count;
  }
  require(count == state_.rows,
          "there are " + std::to_string(count) + " rows and the table counts " + std::to_string(state_.rows));
}

void Checker::check_auxiliary() {
  std::string columns = "id";
  for (std::size_t i = 0; i < store_.shape().auxiliary.size(); ++i) columns += ", a" + std::to_string(i);
  db::Statement values = query("SELECT " + columns + ", hash FROM " + table("aux"));
  std::int64_t count = 0;
  while (values.step()) {
    RowVerifier::verify_auxiliary(values, store_.shape());
    ++count;
  }
  db::Statement missing = query("SELECT id FROM " + table("rows") + " EXCEPT SELECT id FROM " + table("aux"));
  require(!missing.step() && count == state_.rows, "the auxiliary values are not those of the rows");
}

// What each slot should hold: a vector, NULL, or nothing.
void Checker::check_slots_of(std::size_t column) {
  const ChunkGeometry geometry(store_.shape(), column);
  db::Statement chunks =
      query("SELECT id, data FROM " + table("chunks") + " WHERE id >= ?1 AND id < ?2 ORDER BY id");
  chunks.bind(1, geometry.id_of(0)).bind(2, geometry.id_of(0) + kColumnStride);
  nulls_.assign(rows_.size(), false);
  std::int64_t expected = 0;
  while (chunks.step()) {
    const std::int64_t chunk = expected++;
    if (chunks.integer(0) != geometry.id_of(chunk)) geometry.refuse(chunk, "is missing");
    if (chunks.type(1) != SQLITE_BLOB) geometry.refuse(chunk, "is no BLOB");
    const std::span<const std::byte> data = chunks.blob(1);
    const std::size_t slots = geometry.slots_in(data.size(), chunk);
    if (slots != geometry.slots_of(chunk, state_.slots))
      geometry.refuse(chunk, "has room for another number of slots than it should");
    for (std::size_t place = 0; place < slots; ++place) {
      const auto slot = static_cast<std::size_t>(geometry.first_slot(chunk)) + place;
      const auto bytes = data.subspan(place * geometry.slot_bytes, geometry.slot_bytes);
      if (slot < rows_.size() && rows_[slot]) {
        nulls_[slot] = !geometry.holds_vector(bytes, static_cast<std::int64_t>(slot), *rows_[slot]);
        continue;
      }
      if (!all_zero(bytes)) geometry.refuse(chunk, "is not clear in a free slot");
    }
  }
  const std::int64_t needed = state_.slots == 0 ? 0 : geometry.chunk_of(state_.slots - 1) + 1;
  if (expected != needed) geometry.refuse(expected, "is missing, or there is one too many");
}

// That the lists of NULL vectors say what the chunks say.
void Checker::check_nulls(std::size_t column) {
  std::int64_t count = 0;
  for (std::size_t first = 0; first < nulls_.size(); first += codec::kBlockRows) {
    codec::RowMask expected;
    for (std::size_t slot = first; slot < std::min(nulls_.size(), first + codec::kBlockRows); ++slot) {
      if (nulls_[slot]) expected.set(slot - first);
    }
    const auto group = static_cast<std::int64_t>(first / codec::kBlockRows);
    require(read_null_page(store_.statements(), column, group).mask() == expected,
            "the list of NULL vectors of group " + std::to_string(group) + " of vector column " +
                std::to_string(column) + " is not that of its vectors: run 'rebuild'");
    count += static_cast<std::int64_t>(expected.count());
  }
  require(count_nulls(store_.statements(), column) == count,
          "vector column " + std::to_string(column) + " has a list of NULL vectors too many: run 'rebuild'");
}

void Checker::check_norms(std::size_t column, const Transform& transform) {
  const Buffer<double> norms = norms_of(store_, state_, column, transform);
  const auto end = static_cast<std::size_t>(complete_groups(state_) * kGroupSlots);
  for (std::int64_t page = 0; page < norm_pages(state_); ++page) {
    const NormPage stored = read_norm_page(store_.statements(), column, page);
    for (std::size_t place = 0; place < static_cast<std::size_t>(kSlotsPerPage); ++place) {
      const std::size_t slot = static_cast<std::size_t>(page * kSlotsPerPage) + place;
      const double expected = slot < end ? norms[slot] : 0;
      require(std::bit_cast<std::uint64_t>(stored.norm(place)) == std::bit_cast<std::uint64_t>(expected),
              "the norm in slot " + std::to_string(slot) + " of vector column " + std::to_string(column) +
                  " is not that of its vector: run 'rebuild'");
    }
  }
}

void Checker::check_vectors(std::size_t column) {
  check_slots_of(column);
  check_nulls(column);
  const VectorColumn& declared = store_.shape().vectors[column];
  AllRows rows(store_, column, state_, WithNorms::no);
  while (const auto batch = rows.next()) {
    for (std::size_t r = 0; r < batch->rowids.size(); ++r) {
      const codec::VectorView vector{declared.type, declared.dimension, batch->vectors + r * batch->stride};
      require(first_nonfinite(vector) == declared.dimension,
              "the vector of row " + std::to_string(batch->rowids[r]) + " has an element that is not finite");
    }
  }
  const auto record = read_transform(store_.statements(), column, state_);
  if (record && record->statistics) static_cast<void>(statistics_from_blob(*record->statistics));
  if (const auto transform = store_.transform(column, state_)) check_norms(column, *transform);
  if (declared.coded) check_codes(column);
}

// Which vectors are NULL is believed here.
void Checker::check_marks(std::size_t column) {
  if (!store_.shape().vectors[column].coded) return;
  nulls_.assign(rows_.size(), false);
  for (std::size_t slot = 0; slot < rows_.size(); slot += codec::kBlockRows) {
    interrupt_.poll();
    const auto page =
        read_null_page(store_.statements(), column, static_cast<std::int64_t>(slot / codec::kBlockRows));
    for (std::size_t place = 0; place < std::min(codec::kBlockRows, rows_.size() - slot); ++place)
      nulls_[slot + place] = page.mask().test(place);
  }
  check_marks(column, read_marks(store_.statements(), column, state_));
}

void Checker::check_marks(std::size_t column, const Buffer<GroupMarks>& marks) {
  for (const GroupMarks& of_group : marks) blocks_ += of_group.has_block() ? 1 : 0;
  for (std::size_t g = 0; g < marks.size(); ++g) {
    interrupt_.poll();
    codec::RowMask used;
    for (std::size_t place = 0; place < codec::kBlockRows; ++place) {
      const std::size_t slot = g * codec::kBlockRows + place;
      if (rows_[slot] && !nulls_[slot]) used.set(place);
    }
    const bool agrees = (marks[g].coded & used) == marks[g].coded &&
                        marks[g].coded.count() + marks[g].uncoded == used.count() &&
                        marks[g].written < kMostWritten;
    require(agrees, "the code marks of group " + std::to_string(g) + " of vector column " +
                        std::to_string(column) + " are not those of its rows: run 'rebuild'");
  }
}

// Every row that has a code is coded once more and compared. That the center of a block is what it was made
// with follows from the checksum: a bound holds with any.
void Checker::check_codes(std::size_t column) {
  const Buffer<GroupMarks> marks = read_marks(store_.statements(), column, state_);
  check_marks(column, marks);
  store_.read_cache(column).verified_blocks.clear();
  const Checkpoint checkpoint = checkpoint_of_rows(store_, store_.transform(column, state_).get());
  for_each_block(store_, column, marks, [&](const codec::CodeBlockView& block, const codec::RowMask& dead) {
    const std::int64_t group = group_of(block.slots()[0]);
    const GroupRows rows = read_group(store_, column, group);
    const std::size_t d = store_.shape().vectors[column].dimension;
    Buffer<std::size_t> which;
    Buffer<float> vectors;
    for (std::size_t row = 0, next = 0; row < block.rows(); ++row) {
      if (dead.test(row)) continue;
      while (next < rows.slots.size() && rows.slots[next] < block.slots()[row]) ++next;
      require(next < rows.slots.size() && rows.slots[next] == block.slots()[row],
              "group " + std::to_string(group) + " of vector column " + std::to_string(column) +
                  " has a code of a row that is gone: run 'rebuild'");
      which.push_back(row);
      const auto vector = std::span(rows.vectors).subspan(next * d, d);
      vectors.insert(vectors.end(), vector.begin(), vector.end());
    }
    Buffer<std::byte> expected(block.bytes().begin(), block.bytes().end());
    store_.coder(column, state_).recode(expected, which, vectors, checkpoint);
    require(std::equal(expected.begin(), expected.end(), block.bytes().begin(), block.bytes().end()),
            "the codes of group " + std::to_string(group) + " of vector column " + std::to_string(column) +
                " are not those of its rows: run 'rebuild'");
  });
}

// Parts of columns that the table does not have, and norms of columns without a transform.
void Checker::check_strays() {
  const auto columns = static_cast<std::int64_t>(store_.shape().vectors.size());
  for (const char* suffix : {"chunks", "norms", "marks", "codes", "transforms"}) {
    const std::int64_t end = std::string_view(suffix) == "transforms" ? columns : columns * kColumnStride;
    db::Statement strays = query("SELECT id FROM " + table(suffix) + " WHERE id < 0 OR id >= ?1");
    strays.bind(1, end);
    require(!strays.step(), "the table " + shadow_name(store_.shape(), suffix) + " has a row too many");
  }
  db::Statement norms = query("SELECT count(*) FROM " + table("norms"));
  db::Statement transforms = query("SELECT count(*) FROM " + table("transforms"));
  require(norms.step() && transforms.step(), "the norms cannot be counted");
  require(norms.integer(0) == transforms.integer(0) * norm_pages(state_),
          "there are more norms than transforms need");
  db::Statement pages = query("SELECT count(*) FROM " + table("marks") + " WHERE id & " +
                              std::to_string(kFirstNullPage) + " = 0");
  const auto coded = std::count_if(store_.shape().vectors.begin(), store_.shape().vectors.end(),
                                   [](const VectorColumn& column) { return column.coded; });
  const std::int64_t needed = (complete_groups(state_) + kGroupsPerPage - 1) / kGroupsPerPage;
  require(pages.step() && pages.integer(0) == coded * needed, "there are more code marks than groups");
  db::Statement blocks = query("SELECT count(*) FROM " + table("codes"));
  require(blocks.step() && blocks.integer(0) == blocks_,
          "there are more blocks of codes than groups with one");
}

}  // namespace

Buffer<std::string> find_damage(Store& store, std::size_t most, Depth depth) {
  return Checker(store, most, depth).run();
}

void require_integrity(Store& store) {
  const Buffer<std::string> found = find_damage(store);
  if (found.empty()) return;
  std::string text;
  for (const std::string& sentence : found) text += (text.empty() ? "" : "; ") + sentence;
  throw Error(Code::corrupt, text);
}

}  // namespace isovec::storage
