#pragma once
// Blocks of codes as searches keep them in memory: as they are stored, with a second code of every element in
// four bits. The coarse codes alone, half the bytes, tell most rows from those that can be near enough.

#include <cstddef>
#include <span>

#include "codec/code_block.hpp"

namespace isovec::codec {

/// Where keep_block() must write: at a multiple of so many bytes.
inline constexpr std::size_t kKeptAlignment = 64;

/// Bytes that a block takes where it is kept.
[[nodiscard]] std::size_t kept_bytes(const CodeBlockShape& shape) noexcept;

/// Writes a block that was parsed to kept_bytes(block.shape()) bytes, without coarse codes yet: making them
/// costs about what a search of the block by its codes does, which one that is not followed by others saves.
void keep_block(const CodeBlockView& block, std::span<std::byte> to) noexcept;

/// Makes the coarse codes of what keep_block() wrote and nothing has changed since, where there are none yet.
void add_coarse_codes(std::span<std::byte> kept) noexcept;

/// Reads what keep_block() wrote.
[[nodiscard]] CodeBlockView recall_block(std::span<const std::byte> kept) noexcept;

}  // namespace isovec::codec
