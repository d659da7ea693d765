#include <atomic>
#include <cstdint>
#include <cstring>
#include <isovec/buffer.hpp>
#include <new>

namespace isovec {
namespace {

constexpr std::size_t kAlignment = 64;

constexpr MemorySource kOwnSource{
    [](std::size_t bytes) noexcept { return ::operator new(bytes, std::nothrow); },
    [](void* block) noexcept { ::operator delete(block); },
};

std::atomic<const MemorySource*> current_source = &kOwnSource;

// Stands right before what is handed out.
struct Origin {
  const MemorySource* source;
  void* block;
};

}  // namespace

void set_memory_source(const MemorySource& source) noexcept {
  current_source.store(&source, std::memory_order_release);
}

void* allocate_large(std::size_t bytes) {
  const MemorySource* const source = current_source.load(std::memory_order_acquire);
  constexpr std::size_t kExtra = sizeof(Origin) + kAlignment;
  if (bytes > static_cast<std::size_t>(-1) - kExtra) throw std::bad_alloc();
  void* const block = source->allocate(bytes + kExtra);
  if (block == nullptr) throw std::bad_alloc();
  const auto address = reinterpret_cast<std::uintptr_t>(block) + sizeof(Origin);
  auto* const aligned =
      static_cast<std::byte*>(block) + sizeof(Origin) + (kAlignment - address % kAlignment) % kAlignment;
  const Origin origin{source, block};
  std::memcpy(aligned - sizeof(Origin), &origin, sizeof(Origin));
  return aligned;
}

void release_large(void* block) noexcept {
  Origin origin;
  std::memcpy(&origin, static_cast<std::byte*>(block) - sizeof(Origin), sizeof(Origin));
  origin.source->release(origin.block);
}

}  // namespace isovec
