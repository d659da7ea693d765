#include "storage/slot_map.hpp"

#include <algorithm>
#include <string>

#include "storage/checksum.hpp"

namespace isovec::storage {
namespace {

constexpr std::size_t kBitmap = 8;
constexpr std::size_t kRowids = 72;
constexpr std::uint64_t kSeed = 0x736c6f7473;  // "slots"

std::uint64_t checksum_of(std::span<const std::byte> bytes, std::int64_t page) noexcept {
  return checksum(bytes.subspan(kBitmap), kSeed + static_cast<std::uint64_t>(page));
}

}  // namespace

SlotPage::SlotPage(std::int64_t page, std::span<const std::byte> bytes)
    : page_(page), bytes_(bytes.begin(), bytes.end()) {
  if (bytes.size() != kSlotPageBytes || load_u64(bytes.data()) != checksum_of(bytes, page)) {
    throw Error(Code::corrupt, "page " + std::to_string(page) + " of the slot map is damaged");
  }
}

bool SlotPage::used(std::size_t place) const noexcept {
  return (std::to_integer<unsigned>(bytes_[kBitmap + place / 8]) >> (place % 8) & 1U) != 0;
}

std::optional<std::int64_t> SlotPage::row(std::size_t place) const noexcept {
  if (!used(place)) return std::nullopt;
  return load_i64(bytes_.data() + kRowids + 8 * place);
}

void SlotPage::set(std::size_t place, std::int64_t rowid) noexcept {
  bytes_[kBitmap + place / 8] |= std::byte{1} << (place % 8);
  store(bytes_.data() + kRowids + 8 * place, rowid);
}

void SlotPage::clear(std::size_t place) noexcept {
  bytes_[kBitmap + place / 8] &= ~(std::byte{1} << (place % 8));
  store(bytes_.data() + kRowids + 8 * place, std::int64_t{0});
}

std::optional<std::size_t> SlotPage::lowest_free(std::size_t limit) const noexcept {
  const std::size_t end = std::min(limit, static_cast<std::size_t>(kSlotsPerPage));
  for (std::size_t place = 0; place < end; ++place) {
    if (place % 8 == 0 && bytes_[kBitmap + place / 8] == std::byte{0xFF}) {
      place += 7;
    } else if (!used(place)) {
      return place;
    }
  }
  return std::nullopt;
}

std::span<const std::byte> SlotPage::sealed() noexcept {
  store(bytes_.data(), checksum_of(bytes_, page_));
  return bytes_;
}

std::optional<SlotPage> read_slot_page(Statements& statements, std::int64_t page) {
  const db::Run run(statements[Sql::read_slots]);
  run->bind(1, page);
  if (!run->step()) return std::nullopt;
  return SlotPage(page, run->blob(0));
}

void write_slot_page(Statements& statements, SlotPage& page) {
  statements[Sql::write_slots].bind(1, page.page()).bind(2, page.sealed()).run();
}

std::optional<std::int64_t> SlotReader::row_in(std::int64_t slot) {
  const std::int64_t page = page_of(slot);
  if (!page_ || page_->page() != page) {
    page_ = read_slot_page(statements_, page);
    if (!page_) throw Error(Code::corrupt, "page " + std::to_string(page) + " of the slot map is missing");
  }
  return page_->row(place_of(slot));
}

}  // namespace isovec::storage
