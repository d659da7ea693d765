// The power goes at every moment of every kind of change: whatever the disk has kept of the writes that were
// under way, the table is then what it was before the change or what it should be after it, and sound. A
// change that was acknowledged is there. ISOVEC_POWER_CUTS=n tries each moment n times, and every moment.

#include <algorithm>
#include <cstdlib>

#include "connection.hpp"
#include "lossy_disk.hpp"

namespace {

using isovec::test::Connection;
using isovec::test::LossyDisk;

// A complete group, hence blocks of codes, and rows behind it; pages small enough for many writes.
constexpr const char* kSetup =
    "PRAGMA page_size = 1024;"
    "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, a float[8] transform='center', b int8[8] "
    "distance_metric=l2, year integer indexed, +body text);"
    "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 270)"
    "INSERT INTO t(id, a, b, year, body) SELECT i, vec_random(8, i), vec_quantize_int8(vec_random(8, i), "
    "'unit'), 2000 + i % 9, 'body ' || i FROM c;"
    "INSERT INTO t(t) VALUES ('fit');";

constexpr const char* kChanges[] = {
    "INSERT INTO t(a, b, body) VALUES (vec_random(8, 999), vec_int8('[1,2,3,4,5,6,7,8]'), 'new')",
    "UPDATE t SET a = vec_random(8, id + 1), year = 1999 WHERE id % 5 = 0",
    "DELETE FROM t WHERE id < 120 AND id % 2",
    "INSERT INTO t(t) VALUES ('fit column=a whiten eps=1')",
    "INSERT INTO t(t) VALUES ('optimize')",
    "INSERT INTO t(a, b) SELECT a, b FROM t WHERE id < 90",
    "INSERT INTO t(t) VALUES ('rebuild')",
    "INSERT INTO t(t) VALUES ('unfit')",
    "ALTER TABLE t RENAME TO s; ALTER TABLE s RENAME TO t",
};

struct Mode {
  const char* journal;
  std::size_t stride;  ///< Every so many moments are tried.
};
constexpr Mode kModes[] = {{"DELETE", 5}, {"TRUNCATE", 11}, {"PERSIST", 11}, {"WAL", 5}};

std::string path_on(const std::string& disk) {
  return "file:/t.db?vfs=" + disk;
}

// Small caches and logs, so that a change reaches the files before it is committed.
void configure(Connection& db, const char* journal) {
  // A log without shared memory is for one connection; a journal is deleted only where there may be others.
  if (std::string(journal) == "WAL") db.run("PRAGMA locking_mode = EXCLUSIVE");
  db.rows(std::string("PRAGMA journal_mode = ") + journal);
  db.run(
      "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = 20;"
      "PRAGMA wal_autocheckpoint = 30");
}

std::string content(Connection& db) {
  std::string text;
  for (const char* sql :
       {"SELECT id, hex(a), hex(b), year, body FROM t",
        "SELECT coalesce(transform, '-') FROM isovec_info('t')",
        "SELECT id, printf('%.17g', distance) FROM t WHERE a MATCH vec_random(8, 7) AND transform = 'none' "
        "AND k = 5"}) {
    for (const auto& row : db.rows(sql)) {
      for (const std::string& value : row) text += value + "|";
    }
  }
  return text;
}

// What was there before each change and after the last, and how many actions led there.
struct Recording {
  std::vector<std::string> contents;
  std::vector<std::size_t> ends;
};

Recording record(LossyDisk& disk, const std::string& name, const char* journal) {
  Connection db(path_on(name));
  db.run(kSetup);
  configure(db, journal);
  disk.hold(disk.files());
  Recording recording{{content(db)}, {0}};
  for (const char* change : kChanges) {
    db.run(std::string("BEGIN; ") + change + "; COMMIT");
    recording.contents.push_back(content(db));
    recording.ends.push_back(disk.actions());
  }
  return recording;
}

}  // namespace

TEST_CASE("a power cut at any moment leaves the table as it was or as it should be", "[storage][power]") {
  const Mode mode = GENERATE(from_range(std::begin(kModes), std::end(kModes)));
  const char* wanted = std::getenv("ISOVEC_POWER_CUTS");
  const int tries = wanted != nullptr ? std::max(1, std::atoi(wanted)) : 1;
  LossyDisk disk("recorded");
  LossyDisk left("left");
  const Recording recording = record(disk, "recorded", mode.journal);
  std::mt19937 random(7);
  long cuts = 0, taken_back = 0;
  for (std::size_t change = 0; change + 1 < recording.ends.size(); ++change) {
    const std::size_t begin = recording.ends[change], end = recording.ends[change + 1];
    REQUIRE(begin < end);
    const std::size_t stride = wanted != nullptr ? 1 : mode.stride;
    for (std::size_t moment = begin; moment <= end;
         moment = moment < end ? std::min(end, moment + stride) : end + 1) {
      for (int i = 0; i < tries; ++i) {
        CAPTURE(mode.journal, kChanges[change], moment - begin, end - begin, i);
        left.hold(disk.after_cut(moment, random));
        Connection db(path_on("left"));
        db.run("PRAGMA locking_mode = EXCLUSIVE");
        const std::string found = content(db);
        const bool before = found == recording.contents[change];
        const bool after = found == recording.contents[change + 1];
        CHECK((moment == begin ? before : moment == end ? after : before || after));
        CHECK(db.one("SELECT isovec_check('t')") == "ok");
        CHECK(db.one("PRAGMA integrity_check") == "ok");
        ++cuts;
        taken_back += before ? 1 : 0;
      }
    }
  }
  CHECK(taken_back > 0);
  CHECK(taken_back < cuts);
  WARN("journal " << mode.journal << ": " << cuts << " cuts, " << taken_back << " changes taken back");
}
