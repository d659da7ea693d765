#pragma once
// The memory of what can be large: a std::vector whose blocks beyond a few KB come from a source that the
// host counts and limits. In an SQLite connection that is SQLite's own memory, under its heap limits; in a
// program that uses the C++ library alone it is operator new.

#include <cstddef>
#include <new>
#include <vector>

namespace isovec {

/// Where large blocks of memory come from. Both functions may be called by several threads at once.
struct MemorySource {
  /// Uninitialised room for so many bytes at a multiple of 8, or null where there is none.
  void* (*allocate)(std::size_t bytes) noexcept;
  void (*release)(void* block) noexcept;
};

/// Makes `source`, which must outlive the process, the source of the large blocks that are made from now on.
/// Each block goes back to the source that it came from.
void set_memory_source(const MemorySource& source) noexcept;

/// A block of at least kLargeBlock bytes, at a multiple of 64. Throws std::bad_alloc.
[[nodiscard]] void* allocate_large(std::size_t bytes);
void release_large(void* block) noexcept;

/// Smaller blocks are operator new's: they are short-lived, bounded in number, and asked for once a row.
inline constexpr std::size_t kLargeBlock = 8192;

/// The allocator of a Buffer.
template <class T>
struct Allocator {
  using value_type = T;

  Allocator() noexcept = default;
  template <class Other>
  Allocator(const Allocator<Other>&) noexcept {}  // NOLINT: containers rebind their allocators implicitly

  [[nodiscard]] T* allocate(std::size_t count) {
    if (count > static_cast<std::size_t>(-1) / 2 / sizeof(T)) throw std::bad_array_new_length();
    return static_cast<T*>(count * sizeof(T) < kLargeBlock ? ::operator new(count * sizeof(T))
                                                           : allocate_large(count * sizeof(T)));
  }
  void deallocate(T* block, std::size_t count) noexcept {
    if (count * sizeof(T) < kLargeBlock) return ::operator delete(block);
    release_large(block);
  }
  friend bool operator==(const Allocator&, const Allocator&) noexcept { return true; }
};

/// A std::vector of memory that the host counts.
template <class T>
using Buffer = std::vector<T, Allocator<T>>;

}  // namespace isovec
