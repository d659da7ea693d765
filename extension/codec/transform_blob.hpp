#pragma once
// A transform as bytes. The layout stands beside its writer, in transform_blob.cpp; to_blob and
// transform_from_blob are declared in <isovec/transform.hpp>.

#include <cstddef>
#include <cstdint>
#include <isovec/transform.hpp>
#include <optional>
#include <span>

namespace isovec::codec {

/// The content hash in the header of a transform BLOB: a key for caches. Not verified here (decoding does
/// that); nothing where the bytes do not start as a transform of this version.
[[nodiscard]] std::optional<std::uint64_t> peek_transform_hash(std::span<const std::byte> blob) noexcept;

/// Whether the bytes are those of to_blob(transform) but for the hash that they claim. Reads both once; takes
/// no memory.
[[nodiscard]] bool has_body_of(std::span<const std::byte> blob, const Transform& transform) noexcept;

/// The bytes of to_blob() for a transform of these parts.
[[nodiscard]] std::uint64_t blob_bytes(const TransformParts& parts) noexcept;

}  // namespace isovec::codec
