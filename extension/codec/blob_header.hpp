#pragma once
// The header that transform and statistics BLOBs share, little-endian:
//   offset  bytes  field
//        0      4  magic: "isoT" (transform), "isoS" (statistics)
//        4      4  version of the format, 1
//        8      8  XXH3-64 of everything from offset 16 to the end
//       16         the body

#include <array>
#include <cstddef>
#include <cstdint>
#include <isovec/buffer.hpp>
#include <optional>
#include <span>

#include "codec/byte_reader.hpp"

namespace isovec::codec {

inline constexpr std::size_t kHeaderBytes = 16;
using Magic = std::array<char, 4>;
inline constexpr Magic kTransformMagic = {'i', 's', 'o', 'T'};
inline constexpr Magic kStatisticsMagic = {'i', 's', 'o', 'S'};

/// The hash in the header; nothing where the bytes do not start with this magic and a known version.
[[nodiscard]] std::optional<std::uint64_t> peek_hash(std::span<const std::byte> blob,
                                                     const Magic& magic) noexcept;

/// The body of a BLOB whose magic, version and hash are right. `noun` is "a transform" or "statistics";
/// throws Error that says what the bytes are instead, or that they are damaged.
[[nodiscard]] std::span<const std::byte> verified_body(std::span<const std::byte> blob, const Magic& magic,
                                                       const char* noun);

/// Starts a BLOB with a header whose hash is filled in by finish_blob.
void start_blob(ByteWriter& writer, const Magic& magic);
[[nodiscard]] Buffer<std::byte> finish_blob(ByteWriter& writer);

}  // namespace isovec::codec
