#pragma once
// Statistics as bytes. The layout stands beside its writer, in statistics_blob.cpp; to_blob and
// statistics_from_blob are declared in <isovec/statistics.hpp>.

#include <cstddef>
#include <cstdint>
#include <isovec/statistics.hpp>
#include <optional>
#include <span>

namespace isovec::codec {

/// The content hash in the header of a statistics BLOB: a key for caches. Not verified here (decoding does
/// that); nothing where the bytes do not start as statistics of this version.
[[nodiscard]] std::optional<std::uint64_t> peek_statistics_hash(std::span<const std::byte> blob) noexcept;

/// Whether the bytes are those of to_blob(statistics) but for the hash that they claim. Reads both once;
/// takes no memory of their size.
[[nodiscard]] bool has_body_of(std::span<const std::byte> blob, const Statistics& statistics);

/// The bytes of to_blob() for statistics of rows of `dimensions` numbers, 0 before the first row: known
/// before the statistics are taken.
[[nodiscard]] std::uint64_t blob_bytes(const StatisticsOptions& options, std::size_t dimensions) noexcept;

}  // namespace isovec::codec
