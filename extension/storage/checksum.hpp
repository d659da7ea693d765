#pragma once
// The checksums of the shadow tables: XXH3, 64 bits.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace isovec::storage {

/// XXH3 of the bytes under a seed.
[[nodiscard]] std::uint64_t checksum(std::span<const std::byte> bytes, std::uint64_t seed) noexcept;

/// The checksum of a list of values, in order. Values of different types differ.
class RecordChecksum {
 public:
  explicit RecordChecksum(std::uint64_t seed) noexcept : value_(seed) {}
  void add(std::int64_t integer) noexcept;
  void add(double real) noexcept;
  void add(std::string_view text) noexcept;
  void add(std::span<const std::byte> blob) noexcept;
  void add_null() noexcept;
  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }

 private:
  std::uint64_t value_;
};

// Numbers in the shadow tables' BLOBs are little-endian, which codec/vector_blob.hpp demands of the machine.
[[nodiscard]] inline std::uint64_t load_u64(const std::byte* from) noexcept {
  std::uint64_t value = 0;
  std::memcpy(&value, from, sizeof value);
  return value;
}
[[nodiscard]] inline std::int64_t load_i64(const std::byte* from) noexcept {
  return static_cast<std::int64_t>(load_u64(from));
}
inline void store(std::byte* to, std::uint64_t value) noexcept {
  std::memcpy(to, &value, sizeof value);
}
inline void store(std::byte* to, std::int64_t value) noexcept {
  std::memcpy(to, &value, sizeof value);
}

}  // namespace isovec::storage
