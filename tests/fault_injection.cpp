#include "fault_injection.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

// Linked with --wrap: what allocates with malloc comes here too.
extern "C" void* __real_malloc(std::size_t size);
extern "C" int __real_posix_memalign(void** memory, std::size_t alignment, std::size_t size);

namespace isovec::test {
namespace {

Fault armed_fault = Fault::sqlite_memory;
bool is_armed = false;
Repeat armed_repeat = Repeat::once;
long countdown = 0;
long failed = 0;
Outstanding live;
sqlite3_mem_methods base;

bool fails(Fault fault) {
  if (!is_armed || fault != armed_fault) return false;
  const bool fires = countdown == 0 || (countdown < 0 && armed_repeat == Repeat::from_then_on);
  --countdown;
  if (fires) ++failed;
  return fires;
}

void* sqlite_malloc(int size) {
  if (fails(Fault::sqlite_memory)) return nullptr;
  void* memory = base.xMalloc(size);
  if (memory != nullptr) ++live.sqlite;
  return memory;
}
void sqlite_free(void* memory) {
  if (memory != nullptr) --live.sqlite;
  base.xFree(memory);
}
void* sqlite_realloc(void* memory, int size) {
  return fails(Fault::sqlite_memory) ? nullptr : base.xRealloc(memory, size);
}

ssize_t read_at(int file, void* to, size_t size, off64_t offset) {
  if (!fails(Fault::file_read)) return ::pread64(file, to, size, offset);
  errno = EACCES;  // SQLite takes EIO of a read for a damaged file system
  return -1;
}
ssize_t write_at(int file, const void* from, size_t size, off64_t offset) {
  if (!fails(Fault::file_write)) return ::pwrite64(file, from, size, offset);
  errno = ENOSPC;
  return -1;
}
int truncate_to(int file, off_t size) {
  if (!fails(Fault::file_truncate)) return ::ftruncate(file, size);
  errno = EIO;
  return -1;
}
int remove_file(const char* path) {
  if (!fails(Fault::file_delete)) return ::unlink(path);
  errno = EIO;
  return -1;
}

int sync_file() {
  if (!fails(Fault::file_sync)) return 0;
  errno = EIO;
  return -1;
}

template <typename Function>
void replace(sqlite3_vfs* vfs, const char* name, Function* function) {
  // SQLite lists the calls that it makes on this system; the others are not replaced.
  if (vfs->xGetSystemCall(vfs, name) == nullptr) return;
  vfs->xSetSystemCall(vfs, name, reinterpret_cast<sqlite3_syscall_ptr>(function));
}

void* allocate(std::size_t size, std::size_t alignment, bool throws) {
  void* memory = nullptr;
  const bool refused =
      fails(Fault::cpp_memory) || __real_posix_memalign(&memory, alignment, size == 0 ? 1 : size) != 0;
  if (refused) {
    if (throws) throw std::bad_alloc();
    return nullptr;
  }
  ++live.cpp;
  return memory;
}

void release(void* memory) noexcept {
  if (memory != nullptr) --live.cpp;
  std::free(memory);
}

}  // namespace

void install_faults() {
  sqlite3_config(SQLITE_CONFIG_GETMALLOC, &base);
  sqlite3_mem_methods ours = base;
  ours.xMalloc = sqlite_malloc;
  ours.xFree = sqlite_free;
  ours.xRealloc = sqlite_realloc;
  if (sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) != SQLITE_OK) std::abort();
  sqlite3_initialize();
  sqlite3_vfs* vfs = sqlite3_vfs_find(nullptr);
  replace(vfs, "pread", read_at);
  replace(vfs, "pread64", read_at);
  replace(vfs, "pwrite", write_at);
  replace(vfs, "pwrite64", write_at);
  replace(vfs, "ftruncate", truncate_to);
  replace(vfs, "unlink", remove_file);
}

void arm(Fault fault, long n, Repeat repeat) {
  armed_fault = fault;
  armed_repeat = repeat;
  countdown = n;
  failed = 0;
  is_armed = true;
}

long disarm() {
  is_armed = false;
  return failed;
}

Outstanding outstanding() {
  return live;
}

}  // namespace isovec::test

using isovec::test::allocate;
using isovec::test::release;

// SQLite has no replacement for these two; a program's own stand before those of the C library.
extern "C" int fsync(int) {
  return isovec::test::sync_file();
}
extern "C" int fdatasync(int) {
  return isovec::test::sync_file();
}

namespace {
constexpr std::size_t kUsual = alignof(std::max_align_t);
}

void* operator new(std::size_t size) {
  return allocate(size, kUsual, true);
}
void* operator new[](std::size_t size) {
  return allocate(size, kUsual, true);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size, kUsual, false);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size, kUsual, false);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment), true);
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment), true);
}
void operator delete(void* memory) noexcept {
  release(memory);
}
void operator delete[](void* memory) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  release(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  release(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  release(memory);
}

extern "C" void* __wrap_malloc(std::size_t size) {
  return isovec::test::fails(isovec::test::Fault::cpp_memory) ? nullptr : __real_malloc(size);
}
extern "C" int __wrap_posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  if (isovec::test::fails(isovec::test::Fault::cpp_memory)) return ENOMEM;
  return __real_posix_memalign(memory, alignment, size);
}
