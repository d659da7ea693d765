#pragma once
// Little-endian fields of a BLOB, read and written one after another. Reading checks the bytes that are left
// before anything is taken or allocated, so a hostile size cannot do harm.

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <isovec/buffer.hpp>
#include <isovec/error.hpp>
#include <span>
#include <string>

namespace isovec::codec {

/// `value` in little-endian order on every machine.
template <std::unsigned_integral U>
[[nodiscard]] constexpr U little_endian(U value) noexcept {
  if constexpr (std::endian::native == std::endian::little || sizeof(U) == 1) {
    return value;
  } else {
    U swapped = 0;
    for (std::size_t i = 0; i < sizeof(U); ++i)
      swapped = static_cast<U>((swapped << 8) | ((value >> (8 * i)) & 0xFF));
    return swapped;
  }
}

/// Appends fields to a BLOB.
class ByteWriter {
 public:
  template <std::unsigned_integral U>
  void integer(U value) {
    value = little_endian(value);
    const auto* const begin = reinterpret_cast<const std::byte*>(&value);
    bytes_.insert(bytes_.end(), begin, begin + sizeof(U));
  }
  void number(double value) { integer(std::bit_cast<std::uint64_t>(value)); }
  /// As they lie in memory, which on most machines is as they lie in the BLOB.
  void numbers(std::span<const double> values) {
    if constexpr (std::endian::native == std::endian::little) {
      const auto* const begin = reinterpret_cast<const std::byte*>(values.data());
      bytes_.insert(bytes_.end(), begin, begin + values.size_bytes());
    } else {
      for (const double value : values) number(value);
    }
  }
  /// A length in 32 bits, then the bytes.
  void text(const std::string& value) {
    integer(static_cast<std::uint32_t>(value.size()));
    const auto* const begin = reinterpret_cast<const std::byte*>(value.data());
    bytes_.insert(bytes_.end(), begin, begin + value.size());
  }
  void reserve(std::size_t bytes) { bytes_.reserve(bytes); }
  [[nodiscard]] Buffer<std::byte>& bytes() noexcept { return bytes_; }

 private:
  Buffer<std::byte> bytes_;
};

/// Takes the place of a ByteWriter and compares what is written with bytes that are there.
class ByteComparer {
 public:
  explicit ByteComparer(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}

  template <std::unsigned_integral U>
  void integer(U value) noexcept {
    value = little_endian(value);
    compare(&value, sizeof value);
  }
  void number(double value) noexcept { integer(std::bit_cast<std::uint64_t>(value)); }
  void numbers(std::span<const double> values) noexcept {
    if constexpr (std::endian::native == std::endian::little) {
      compare(values.data(), values.size_bytes());
    } else {
      for (const double value : values) number(value);
    }
  }
  void text(const std::string& value) noexcept {
    integer(static_cast<std::uint32_t>(value.size()));
    compare(value.data(), value.size());
  }
  /// Whether what was written is all of the bytes.
  [[nodiscard]] bool same() const noexcept { return same_ && bytes_.empty(); }

 private:
  void compare(const void* written, std::size_t size) noexcept {
    same_ = same_ && size <= bytes_.size() && (size == 0 || std::memcmp(bytes_.data(), written, size) == 0);
    if (same_) bytes_ = bytes_.subspan(size);
  }

  std::span<const std::byte> bytes_;
  bool same_ = true;
};

/// Takes fields from a BLOB. Throws Error{corrupt} "<what> is damaged: ..." where bytes are missing.
class ByteReader {
 public:
  ByteReader(std::span<const std::byte> bytes, const char* what) : bytes_(bytes), what_(what) {}

  template <std::unsigned_integral U>
  [[nodiscard]] U integer() {
    U value;
    std::memcpy(&value, take(sizeof(U)), sizeof(U));
    return little_endian(value);
  }
  [[nodiscard]] double number() { return std::bit_cast<double>(integer<std::uint64_t>()); }
  [[nodiscard]] Buffer<double> numbers(std::size_t count) {
    if (count > left() / sizeof(double)) refuse("it ends too early");
    Buffer<double> values(count);
    if constexpr (std::endian::native == std::endian::little) {
      if (count != 0) std::memcpy(values.data(), take(count * sizeof(double)), count * sizeof(double));
    } else {
      for (double& value : values) value = number();
    }
    return values;
  }
  [[nodiscard]] std::string text() {
    const std::size_t size = integer<std::uint32_t>();
    if (size > left()) refuse("it ends too early");
    return {reinterpret_cast<const char*>(take(size)), size};
  }
  [[nodiscard]] std::size_t left() const noexcept { return bytes_.size(); }
  [[noreturn]] void refuse(const std::string& fact) const {
    throw Error(Code::corrupt, std::string(what_) + " is damaged: " + fact);
  }

 private:
  const std::byte* take(std::size_t count) {
    if (count > bytes_.size()) refuse("it ends too early");
    const std::byte* const begin = bytes_.data();
    bytes_ = bytes_.subspan(count);
    return begin;
  }

  std::span<const std::byte> bytes_;
  const char* what_;
};

}  // namespace isovec::codec
