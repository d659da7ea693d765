#include "storage/code_groups.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "storage/checksum.hpp"

namespace isovec::storage {
namespace {

constexpr std::size_t kHeader = 8;
constexpr std::size_t kEntry = 40;
constexpr std::size_t kMaskBytes = 32;
constexpr std::size_t kWrittenAt = 36;
constexpr std::uint64_t kSeed = 0x6d61726b73;  // "marks"

std::int64_t id_of(std::size_t column, std::int64_t number) noexcept {
  return static_cast<std::int64_t>(column) * kColumnStride + number;
}

std::uint64_t checksum_of(std::span<const std::byte> bytes, std::int64_t id) noexcept {
  return checksum(bytes.subspan(kHeader), kSeed + static_cast<std::uint64_t>(id));
}

[[noreturn]] void refuse(std::size_t column, std::int64_t page, const char* what) {
  throw Error(Code::corrupt, "page " + std::to_string(page) + " of the code marks of vector column " +
                                 std::to_string(column) + " is " + what + ": run 'rebuild'");
}

}  // namespace

MarkPage::MarkPage(std::size_t column, std::int64_t page) : id_(id_of(column, page)), bytes_(kHeader) {}

MarkPage::MarkPage(std::size_t column, std::int64_t page, std::span<const std::byte> bytes)
    : id_(id_of(column, page)), bytes_(bytes.begin(), bytes.end()) {
  const bool sized = bytes.size() > kHeader && (bytes.size() - kHeader) % kEntry == 0;
  if (!sized || load_u64(bytes.data()) != checksum_of(bytes, id_)) refuse(column, page, "damaged");
  for (std::size_t place = 0; place < groups(); ++place) {
    const GroupMarks marks = group(place);
    if (marks.coded.count() + marks.uncoded > static_cast<std::size_t>(kGroupSlots)) {
      refuse(column, page, "of more rows than a group has");
    }
  }
}

std::size_t MarkPage::groups() const noexcept {
  return (bytes_.size() - kHeader) / kEntry;
}

GroupMarks MarkPage::group(std::size_t place) const noexcept {
  GroupMarks marks;
  const std::byte* from = bytes_.data() + kHeader + place * kEntry;
  std::memcpy(marks.coded.words().data(), from, kMaskBytes);
  std::memcpy(&marks.uncoded, from + kMaskBytes, sizeof marks.uncoded);
  std::memcpy(&marks.written, from + kWrittenAt, sizeof marks.written);
  return marks;
}

void MarkPage::resize(std::size_t groups) {
  bytes_.resize(kHeader + groups * kEntry);
}

void MarkPage::set(std::size_t place, const GroupMarks& marks) noexcept {
  std::byte* to = bytes_.data() + kHeader + place * kEntry;
  std::memcpy(to, marks.coded.words().data(), kMaskBytes);
  std::memcpy(to + kMaskBytes, &marks.uncoded, sizeof marks.uncoded);
  std::memcpy(to + kWrittenAt, &marks.written, sizeof marks.written);
}

std::span<const std::byte> MarkPage::sealed() noexcept {
  store(bytes_.data(), checksum_of(bytes_, id_));
  return bytes_;
}

MarkPage read_mark_page(Statements& statements, std::size_t column, std::int64_t page, const State& state) {
  const auto groups = static_cast<std::size_t>(
      std::clamp<std::int64_t>(complete_groups(state) - page * kGroupsPerPage, 0, kGroupsPerPage));
  const db::Run run(statements[Sql::read_marks]);
  run->bind(1, id_of(column, page));
  const bool there = run->step();
  if (there != (groups > 0)) refuse(column, page, there ? "one too many" : "missing");
  if (!there) return {column, page};
  MarkPage read(column, page, run->blob(0));
  if (read.groups() != groups) refuse(column, page, "of another size than the table");
  return read;
}

void write_mark_page(Statements& statements, MarkPage& page) {
  statements[Sql::write_marks].bind(1, page.id()).bind(2, page.sealed()).run();
}

Buffer<GroupMarks> read_marks(Statements& statements, std::size_t column, const State& state) {
  Buffer<GroupMarks> marks;
  const auto groups = static_cast<std::size_t>(complete_groups(state));
  marks.reserve(groups);
  while (marks.size() < groups) {
    const auto page = static_cast<std::int64_t>(marks.size()) / kGroupsPerPage;
    const MarkPage read = read_mark_page(statements, column, page, state);
    for (std::size_t i = 0; i < read.groups(); ++i) marks.push_back(read.group(i));
  }
  return marks;
}

std::int64_t block_id(std::size_t column, std::int64_t group) noexcept {
  return id_of(column, group);
}

std::uint64_t block_seed(std::size_t column, std::int64_t group) noexcept {
  return static_cast<std::uint64_t>(block_id(column, group)) * 0x9E3779B97F4A7C15U;
}

void refuse_block(std::size_t column, std::int64_t group, const char* what) {
  throw Error(Code::corrupt, "the block of codes of group " + std::to_string(group) + " of vector column " +
                                 std::to_string(column) + " is " + what + ": run 'rebuild'");
}

void write_block(Statements& statements, std::size_t column, std::int64_t group,
                 std::span<const std::byte> bytes) {
  statements[Sql::write_codes].bind(1, block_id(column, group)).bind(2, bytes).run();
}

void delete_block(Statements& statements, std::size_t column, std::int64_t group) {
  statements[Sql::delete_codes].bind(1, block_id(column, group)).run();
}

}  // namespace isovec::storage
