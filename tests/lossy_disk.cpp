#include "lossy_disk.hpp"

#include <algorithm>
#include <cstring>

namespace isovec::test {
namespace {

constexpr std::size_t kSector = 512;
constexpr int kLongestName = 500;

// A file as SQLite holds it, in memory that it gives. Without a name it is a temporary one, which no cut
// concerns.
struct OpenFile {
  sqlite3_file base;
  LossyDisk* disk;
  std::string* name;
  std::string* temporary;
};

OpenFile& file_of(sqlite3_file* file) {
  return *reinterpret_cast<OpenFile*>(file);
}
std::string& content_of(OpenFile& file) {
  return file.name != nullptr ? file.disk->content(*file.name) : *file.temporary;
}

void carry_out(std::string& content, const LossyDisk::Action& action) {
  if (action.kind == LossyDisk::Kind::truncate) {
    content.resize(action.offset);
  } else if (action.kind == LossyDisk::Kind::write) {
    content.resize(std::max(content.size(), action.offset + action.bytes.size()));
    content.replace(action.offset, action.bytes.size(), action.bytes);
  }
}

void act(sqlite3_file* opened, LossyDisk::Kind kind, std::size_t offset, std::string bytes) {
  OpenFile& file = file_of(opened);
  LossyDisk::Action action{kind, file.name != nullptr ? *file.name : "", offset, std::move(bytes)};
  if (file.name != nullptr) return file.disk->act(std::move(action));
  carry_out(*file.temporary, action);
}

// The methods of a file ------------------------------------------------------------------------------------

int close(sqlite3_file* opened) {
  delete file_of(opened).name;
  delete file_of(opened).temporary;
  return SQLITE_OK;
}
int read(sqlite3_file* opened, void* to, int size, sqlite3_int64 offset) {
  const std::string& content = content_of(file_of(opened));
  const auto begin = std::min(content.size(), static_cast<std::size_t>(offset));
  const auto there = std::min(content.size() - begin, static_cast<std::size_t>(size));
  std::memset(to, 0, static_cast<std::size_t>(size));
  std::memcpy(to, content.data() + begin, there);
  return there == static_cast<std::size_t>(size) ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}
int write(sqlite3_file* opened, const void* from, int size, sqlite3_int64 offset) {
  act(opened, LossyDisk::Kind::write, static_cast<std::size_t>(offset),
      std::string(static_cast<const char*>(from), static_cast<std::size_t>(size)));
  return SQLITE_OK;
}
int truncate(sqlite3_file* opened, sqlite3_int64 size) {
  act(opened, LossyDisk::Kind::truncate, static_cast<std::size_t>(size), "");
  return SQLITE_OK;
}
int sync(sqlite3_file* opened, int) {
  act(opened, LossyDisk::Kind::sync, 0, "");
  return SQLITE_OK;
}
int size_of(sqlite3_file* opened, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(content_of(file_of(opened)).size());
  return SQLITE_OK;
}
int lock(sqlite3_file*, int) {
  return SQLITE_OK;
}
int check_reserved(sqlite3_file*, int* reserved) {
  *reserved = 0;
  return SQLITE_OK;
}
int control(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}
int sector_size(sqlite3_file*) {
  return static_cast<int>(kSector);
}
int characteristics(sqlite3_file*) {
  return 0;  // no promise about what stands beside a write that was cut
}

// Version 1: without shared memory, so a log is for one connection in exclusive mode.
constexpr sqlite3_io_methods kMethods = {
    1,       close,          read,    write,       truncate,        sync,    size_of, lock,
    lock,    check_reserved, control, sector_size, characteristics, nullptr, nullptr, nullptr,
    nullptr, nullptr,        nullptr};

// The methods of the disk ----------------------------------------------------------------------------------

LossyDisk& disk_of(sqlite3_vfs* vfs) {
  return *static_cast<LossyDisk*>(vfs->pAppData);
}

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* opened, int flags, int* given) {
  LossyDisk& disk = disk_of(vfs);
  OpenFile& file = file_of(opened);
  file.base.pMethods = nullptr;
  if (name != nullptr && !disk.has(name) && (flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
  file.disk = &disk;
  file.name = name != nullptr ? new std::string(name) : nullptr;
  file.temporary = name != nullptr ? nullptr : new std::string;
  if (name != nullptr) disk.content(name);
  file.base.pMethods = &kMethods;
  if (given != nullptr) *given = flags;
  return SQLITE_OK;
}
int erase(sqlite3_vfs* vfs, const char* name, int) {
  if (!disk_of(vfs).has(name)) return SQLITE_IOERR_DELETE_NOENT;
  disk_of(vfs).act({LossyDisk::Kind::erase, name});
  return SQLITE_OK;
}
int access(sqlite3_vfs* vfs, const char* name, int, int* there) {
  *there = disk_of(vfs).has(name) ? 1 : 0;
  return SQLITE_OK;
}
int full_name(sqlite3_vfs*, const char* name, int size, char* full) {
  sqlite3_snprintf(size, full, "%s", name);
  return SQLITE_OK;
}

// Of one write, what a cut leaves: all, nothing, or sector by sector.
void apply_torn(std::string& content, const LossyDisk::Action& action, std::mt19937& random) {
  const auto fate = random() % 4;
  if (fate == 0) return;
  if (fate == 1 || action.kind != LossyDisk::Kind::write) return carry_out(content, action);
  for (std::size_t begin = 0; begin < action.bytes.size();) {
    const std::size_t offset = action.offset + begin;
    const std::size_t size = std::min(action.bytes.size() - begin, kSector - offset % kSector);
    LossyDisk::Action sector{action.kind, action.file, offset, action.bytes.substr(begin, size)};
    const auto of_sector = random() % 10;
    if (of_sector == 0) {
      for (char& c : sector.bytes) c = static_cast<char>(random());
    }
    if (of_sector < 6) carry_out(content, sector);
    begin += size;
  }
}

}  // namespace

LossyDisk::LossyDisk(const std::string& name) : name_(name), vfs_(*sqlite3_vfs_find(nullptr)) {
  vfs_.iVersion = 2;
  vfs_.szOsFile = sizeof(OpenFile);
  vfs_.mxPathname = kLongestName;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.pNext = nullptr;
  vfs_.xOpen = open;
  vfs_.xDelete = erase;
  vfs_.xAccess = access;
  vfs_.xFullPathname = full_name;
  sqlite3_vfs_register(&vfs_, 0);
}

LossyDisk::~LossyDisk() {
  sqlite3_vfs_unregister(&vfs_);
}

void LossyDisk::hold(Files files) {
  files_ = std::move(files);
  safe_ = files_;
  history_.clear();
}

void LossyDisk::act(Action action) {
  if (action.kind == Kind::erase) {
    files_.erase(action.file);
  } else {
    carry_out(files_[action.file], action);
  }
  history_.push_back(std::move(action));
}

LossyDisk::Files LossyDisk::after_cut(std::size_t actions, std::mt19937& random) const {
  Files files = safe_;
  std::map<std::string, std::vector<const Action*>> unsafe;
  for (std::size_t i = 0; i < actions; ++i) {
    const Action& action = history_[i];
    std::vector<const Action*>& pending = unsafe[action.file];
    if (action.kind == Kind::erase) {
      files.erase(action.file);
      pending.clear();
    } else if (action.kind == Kind::sync) {
      for (const Action* earlier : pending) carry_out(files[action.file], *earlier);
      pending.clear();
    } else {
      pending.push_back(&action);
    }
  }
  for (const auto& [file, pending] : unsafe) {
    for (const Action* action : pending) apply_torn(files[file], *action, random);
  }
  return files;
}

}  // namespace isovec::test
