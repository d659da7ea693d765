#include "storage/norm_store.hpp"

#include <bit>
#include <string>

#include "storage/checksum.hpp"

namespace isovec::storage {
namespace {

constexpr std::size_t kNorms = 8;
constexpr std::uint64_t kSeed = 0x6e6f726d73;  // "norms"

std::int64_t id_of(std::size_t column, std::int64_t page) noexcept {
  return static_cast<std::int64_t>(column) * kColumnStride + page;
}

std::uint64_t checksum_of(std::span<const std::byte> bytes, std::int64_t id) noexcept {
  return checksum(bytes.subspan(kNorms), kSeed + static_cast<std::uint64_t>(id));
}

}  // namespace

NormPage::NormPage(std::size_t column, std::int64_t page)
    : id_(id_of(column, page)), bytes_(kNormPageBytes) {}

NormPage::NormPage(std::size_t column, std::int64_t page, std::span<const std::byte> bytes)
    : id_(id_of(column, page)), bytes_(bytes.begin(), bytes.end()) {
  if (bytes.size() != kNormPageBytes || load_u64(bytes.data()) != checksum_of(bytes, id_)) {
    throw Error(Code::corrupt, "page " + std::to_string(page) + " of the norms of vector column " +
                                   std::to_string(column) + " is damaged: run 'rebuild'");
  }
}

double NormPage::norm(std::size_t place) const noexcept {
  return std::bit_cast<double>(load_u64(bytes_.data() + kNorms + 8 * place));
}

void NormPage::set(std::size_t place, double norm) noexcept {
  store(bytes_.data() + kNorms + 8 * place, std::bit_cast<std::uint64_t>(norm));
}

std::span<const std::byte> NormPage::sealed() noexcept {
  store(bytes_.data(), checksum_of(bytes_, id_));
  return bytes_;
}

std::optional<NormPage> find_norm_page(Statements& statements, std::size_t column, std::int64_t page) {
  const db::Run run(statements[Sql::read_norms]);
  run->bind(1, id_of(column, page));
  if (!run->step()) return std::nullopt;
  return NormPage(column, page, run->blob(0));
}

NormPage read_norm_page(Statements& statements, std::size_t column, std::int64_t page) {
  std::optional<NormPage> found = find_norm_page(statements, column, page);
  if (found) return *std::move(found);
  throw Error(Code::corrupt, "page " + std::to_string(page) + " of the norms of vector column " +
                                 std::to_string(column) + " is missing: run 'rebuild'");
}

void write_norm_page(Statements& statements, NormPage& page) {
  statements[Sql::write_norms].bind(1, page.id()).bind(2, page.sealed()).run();
}

}  // namespace isovec::storage
