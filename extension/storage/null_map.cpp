#include "storage/null_map.hpp"

#include <algorithm>
#include <optional>

#include "storage/checksum.hpp"
#include "storage/schema.hpp"

namespace isovec::storage {
namespace {

constexpr std::size_t kHeader = 8;
constexpr std::size_t kPageBytes = kHeader + codec::kBlockRows;
constexpr std::uint64_t kSeed = 0x6e756c6c73;  // "nulls"

std::int64_t id_of(std::size_t column, std::int64_t group) noexcept {
  return static_cast<std::int64_t>(column) * kColumnStride + kFirstNullPage + group;
}

std::uint64_t checksum_of(std::span<const std::byte> bytes, std::int64_t id) noexcept {
  return checksum(bytes.subspan(kHeader), kSeed + static_cast<std::uint64_t>(id));
}

}  // namespace

NullPage::NullPage(std::size_t column, std::int64_t group) : id_(id_of(column, group)), bytes_(kPageBytes) {}

NullPage::NullPage(std::size_t column, std::int64_t group, std::span<const std::byte> bytes)
    : id_(id_of(column, group)), bytes_(bytes.begin(), bytes.end()) {
  if (bytes.size() == kPageBytes && load_u64(bytes.data()) == checksum_of(bytes, id_)) return;
  throw Error(Code::corrupt, "the list of NULL vectors of group " + std::to_string(group) +
                                 " of vector column " + std::to_string(column) +
                                 " is damaged: run 'rebuild'");
}

bool NullPage::is_null(std::size_t place) const noexcept {
  return bytes_[kHeader + place] != std::byte{0};
}

void NullPage::set(std::size_t place, bool is_null) noexcept {
  bytes_[kHeader + place] = is_null ? std::byte{1} : std::byte{0};
}

codec::RowMask NullPage::mask() const noexcept {
  codec::RowMask mask;
  for (std::size_t place = 0; place < codec::kBlockRows; ++place) {
    if (is_null(place)) mask.set(place);
  }
  return mask;
}

std::span<const std::byte> NullPage::sealed() noexcept {
  store(bytes_.data(), checksum_of(bytes_, id_));
  return bytes_;
}

NullPage read_null_page(Statements& statements, std::size_t column, std::int64_t group) {
  const db::Run run(statements[Sql::read_marks]);
  run->bind(1, id_of(column, group));
  if (!run->step()) return {column, group};
  return {column, group, run->blob(0)};
}

void write_null_page(Statements& statements, NullPage& page) {
  if (page.mask() == codec::RowMask()) {
    statements[Sql::delete_marks].bind(1, page.id()).run();
  } else {
    statements[Sql::write_marks].bind(1, page.id()).bind(2, page.sealed()).run();
  }
}

void write_null_pages(Statements& statements, std::size_t column, std::span<const std::int64_t> slots) {
  while (!slots.empty()) {
    const std::int64_t group = group_of(slots.front());
    NullPage page(column, group);
    while (!slots.empty() && group_of(slots.front()) == group) {
      page.set(place_in_group(slots.front()), true);
      slots = slots.subspan(1);
    }
    write_null_page(statements, page);
  }
}

std::int64_t count_nulls(Statements& statements, std::size_t column) {
  const db::Run run(statements[Sql::scan_marks]);
  const std::int64_t first = id_of(column, 0);
  run->bind(1, first).bind(2, first + kColumnStride - kFirstNullPage);
  std::int64_t count = 0;
  while (run->step()) {
    const NullPage page(column, run->integer(0) - first, run->blob(1));
    count += static_cast<std::int64_t>(page.mask().count());
  }
  return count;
}

void require_null_pages(Statements& statements, const TableShape& shape, const State& state) {
  std::int64_t count = 0;
  for (std::size_t c = 0; c < shape.vectors.size(); ++c) count += count_nulls(statements, c);
  if (count == state.nulls) return;
  throw Error(Code::corrupt, "the table lists " + std::to_string(count) + " NULL vectors and counts " +
                                 std::to_string(state.nulls) + ": run 'rebuild'");
}

std::string null_test(const TableShape& shape, std::size_t column) {
  return "EXISTS (SELECT 1 FROM " + shadow(shape, "marks") +
         " WHERE id = " + std::to_string(id_of(column, 0)) + " + slot / " + std::to_string(kGroupSlots) +
         " AND substr(data, slot % " + std::to_string(kGroupSlots) + " + " + std::to_string(kHeader + 1) +
         ", 1) = x'01')";
}

}  // namespace isovec::storage
