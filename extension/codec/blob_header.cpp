#include "codec/blob_header.hpp"

#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace isovec::codec {
namespace {

constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kVersionOffset = 4;
constexpr std::size_t kHashOffset = 8;

template <class U>
U field(std::span<const std::byte> blob, std::size_t offset) noexcept {
  U value;
  std::memcpy(&value, blob.data() + offset, sizeof(U));
  return little_endian(value);
}

bool has_magic(std::span<const std::byte> blob, const Magic& magic) noexcept {
  return blob.size() >= kHeaderBytes && std::memcmp(blob.data(), magic.data(), magic.size()) == 0;
}

std::uint64_t hash_of(std::span<const std::byte> body) noexcept {
  return XXH3_64bits(body.data(), body.size());
}

}  // namespace

std::optional<std::uint64_t> peek_hash(std::span<const std::byte> blob, const Magic& magic) noexcept {
  if (!has_magic(blob, magic) || field<std::uint32_t>(blob, kVersionOffset) != kVersion) return std::nullopt;
  return field<std::uint64_t>(blob, kHashOffset);
}

std::span<const std::byte> verified_body(std::span<const std::byte> blob, const Magic& magic,
                                         const char* noun) {
  if (!has_magic(blob, magic)) {
    const bool other = has_magic(blob, kTransformMagic) || has_magic(blob, kStatisticsMagic);
    const std::string found = has_magic(blob, kTransformMagic) ? "a transform"
                              : other                          ? "statistics"
                                                               : "another BLOB";
    throw Error(Code::invalid_argument, std::string("expected ") + noun + ", got " + found + " of " +
                                            std::to_string(blob.size()) + " bytes");
  }
  const auto version = field<std::uint32_t>(blob, kVersionOffset);
  if (version > kVersion) {
    throw Error(Code::invalid_argument,
                std::string("this is ") + noun + " in format " + std::to_string(version) +
                    ", made by a newer isovec; this one reads up to format " + std::to_string(kVersion));
  }
  const std::span<const std::byte> body = blob.subspan(kHeaderBytes);
  if (version != kVersion || field<std::uint64_t>(blob, kHashOffset) != hash_of(body)) {
    throw Error(Code::corrupt,
                std::string("the bytes of ") + noun + " are damaged: the checksum does not match");
  }
  return body;
}

void start_blob(ByteWriter& writer, const Magic& magic) {
  for (const char c : magic) writer.integer(static_cast<std::uint8_t>(c));
  writer.integer(kVersion);
  writer.integer(std::uint64_t{0});
}

Buffer<std::byte> finish_blob(ByteWriter& writer) {
  Buffer<std::byte>& bytes = writer.bytes();
  const std::uint64_t hash = little_endian(hash_of(std::span(bytes).subspan(kHeaderBytes)));
  std::memcpy(bytes.data() + kHashOffset, &hash, sizeof(hash));
  return std::move(bytes);
}

}  // namespace isovec::codec
