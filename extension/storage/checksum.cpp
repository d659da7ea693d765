#include "storage/checksum.hpp"

#include <bit>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace isovec::storage {
namespace {

enum class Tag : std::uint8_t { null = 1, integer, real, text, blob };

std::uint64_t next(std::uint64_t sum, Tag tag, std::uint64_t value) noexcept {
  std::byte bytes[9];
  bytes[0] = static_cast<std::byte>(tag);
  store(bytes + 1, value);
  return checksum(bytes, sum);
}

}  // namespace

std::uint64_t checksum(std::span<const std::byte> bytes, std::uint64_t seed) noexcept {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

void RecordChecksum::add(std::int64_t integer) noexcept {
  value_ = next(value_, Tag::integer, static_cast<std::uint64_t>(integer));
}
void RecordChecksum::add(double real) noexcept {
  value_ = next(value_, Tag::real, std::bit_cast<std::uint64_t>(real));
}
void RecordChecksum::add(std::string_view text) noexcept {
  value_ = next(value_, Tag::text, checksum(std::as_bytes(std::span(text)), value_));
}
void RecordChecksum::add(std::span<const std::byte> blob) noexcept {
  value_ = next(value_, Tag::blob, checksum(blob, value_));
}
void RecordChecksum::add_null() noexcept {
  value_ = next(value_, Tag::null, 0);
}

}  // namespace isovec::storage
