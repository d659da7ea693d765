#pragma once
// Right checksums over wrong bytes: the checksums of the shadow tables have no key, so whoever writes a file
// can make them. For a table named t in "main".

#include <cstring>
#include <map>

#include "codec/code_block_layout.hpp"
#include "connection.hpp"
#include "storage/checksum.hpp"
#include "storage/chunk_store.hpp"
#include "storage/code_groups.hpp"
#include "storage/null_map.hpp"
#include "storage/row_store.hpp"
#include "storage/state.hpp"
#include "surface/definition_source.hpp"

namespace isovec::test {

class Forger {
 public:
  /// `db` holds a sound table.
  explicit Forger(Connection& db) : db_(db), shape_(surface::find_definition(db.handle(), "main", "t")) {}
  [[nodiscard]] const storage::TableShape& shape() const noexcept { return shape_; }

  [[nodiscard]] storage::State state() {
    const std::string bytes = db_.one("SELECT value FROM t_config WHERE key = 'state'");
    return storage::decode_state(std::as_bytes(std::span(bytes)));
  }
  void set_state(const storage::State& state) {
    const storage::StateBytes state_bytes(state);
    const std::span<const std::byte> bytes = state_bytes.bytes();
    set_state_bytes({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  void set_state_bytes(const std::string& bytes) {
    db_.rows("UPDATE t_config SET value = ?1 WHERE key = 'state'", Bytes{bytes});
  }

  /// The bytes of a row of t_<suffix> with the checksum that they should have there: of "config" (the state),
  /// "slots", "norms", "marks" and "codes". The constants are those of the format.
  [[nodiscard]] static std::string sealed(const std::string& suffix, std::int64_t id, std::string bytes) {
    const bool at_end = suffix == "config";
    if (bytes.size() < 16) return bytes;
    const auto all = std::as_bytes(std::span(bytes));
    const auto number = static_cast<std::uint64_t>(id);
    std::uint64_t sum = 0;
    if (at_end) sum = storage::checksum(all.first(all.size() - 8), 0x7374617465);
    if (suffix == "slots") sum = storage::checksum(all.subspan(8), 0x736c6f7473 + number);
    if (suffix == "norms") sum = storage::checksum(all.subspan(8), 0x6e6f726d73 + number);
    const bool of_nulls = number % storage::kColumnStride >= storage::kFirstNullPage;
    if (suffix == "marks")
      sum = storage::checksum(all.subspan(8), (of_nulls ? 0x6e756c6c73 : 0x6d61726b73) + number);
    if (suffix == "codes") sum = storage::checksum(all.subspan(8), number * 0x9E3779B97F4A7C15U);
    std::memcpy(bytes.data() + (at_end ? bytes.size() - 8 : 0), &sum, sizeof sum);
    return bytes;
  }
  /// A transform or statistics with the hash that their header should have.
  [[nodiscard]] static std::string sealed_fit(std::string bytes) {
    if (bytes.size() < 16) return bytes;
    const std::uint64_t sum = storage::checksum(std::as_bytes(std::span(bytes)).subspan(16), 0);
    std::memcpy(bytes.data() + 8, &sum, sizeof sum);
    return bytes;
  }

  /// Writes the checksum of every row of t_rows, t_aux and t_transforms, and of every vector in t_chunks
  /// whose slot a row claims, whatever they hold.
  void seal_all() {
    seal_rows();
    if (!shape_.auxiliary.empty()) seal_auxiliary();
    seal_transforms();
    seal_vectors();
  }
  void seal_rows() {
    const storage::RowVerifier verifier(shape_);
    db::Statement read(db_.handle(), "SELECT " + storage::row_select(shape_) + " FROM t_rows");
    std::map<std::int64_t, std::uint64_t> hashes;
    while (read.step()) {
      std::vector<sqlite3_value*> values;
      for (std::size_t i = 0; i < verifier.value_count(); ++i)
        values.push_back(read.value(storage::kFirstValue + static_cast<int>(i)));
      hashes[read.integer(0)] = verifier.checksum_of({read.integer(0), read.integer(1)}, values);
    }
    write_hashes("UPDATE t_rows SET hash = ?1 WHERE id = ?2", hashes);
  }

 private:
  void write_hashes(const std::string& sql, const std::map<std::int64_t, std::uint64_t>& hashes) {
    db::Statement write(db_.handle(), sql);
    for (const auto& [id, hash] : hashes) {
      write.bind(1, static_cast<std::int64_t>(hash)).bind(2, id).run();
    }
  }
  void seal_auxiliary() {
    std::string columns = "id";
    for (std::size_t i = 0; i < shape_.auxiliary.size(); ++i) columns += ", a" + std::to_string(i);
    db::Statement read(db_.handle(), "SELECT " + columns + " FROM t_aux");
    std::map<std::int64_t, std::uint64_t> hashes;
    while (read.step()) {
      std::vector<sqlite3_value*> values;
      for (std::size_t i = 0; i < shape_.auxiliary.size(); ++i)
        values.push_back(read.value(1 + static_cast<int>(i)));
      hashes[read.integer(0)] = storage::RowVerifier::auxiliary_checksum(read.integer(0), values, shape_);
    }
    write_hashes("UPDATE t_aux SET hash = ?1 WHERE id = ?2", hashes);
  }
  void seal_transforms() {
    db::Statement read(db_.handle(), "SELECT id, spec, transform, statistics, rows FROM t_transforms");
    std::map<std::int64_t, std::uint64_t> hashes;
    while (read.step()) {
      storage::RecordChecksum sum(0x7472616e73);
      sum.add(read.integer(0));
      sum.add(std::string_view(read.text(1)));
      sum.add(read.blob(2));
      if (read.is_null(3)) {
        sum.add_null();
      } else {
        sum.add(read.blob(3));
      }
      sum.add(read.integer(4));
      hashes[read.integer(0)] = sum.value();
    }
    write_hashes("UPDATE t_transforms SET hash = ?1 WHERE id = ?2", hashes);
  }
  void seal_vectors() {
    std::map<std::int64_t, std::int64_t> rows;  // by slot
    db::Statement heads(db_.handle(), "SELECT id, slot FROM t_rows");
    while (heads.step()) rows[heads.integer(1)] = heads.integer(0);
    for (std::size_t c = 0; c < shape_.vectors.size(); ++c) {
      const storage::ChunkGeometry geometry(shape_, c);
      for (const auto& row : db_.rows("SELECT id, data FROM t_chunks WHERE typeof(data) = 'blob'")) {
        const std::int64_t chunk = std::stoll(row[0]) - geometry.id_of(0);
        if (chunk < 0 || chunk >= std::int64_t{1} << 30) continue;
        std::string data = row[1];
        for (auto at = rows.lower_bound(geometry.first_slot(chunk)); at != rows.end(); ++at) {
          const auto place = static_cast<std::size_t>(at->first - geometry.first_slot(chunk));
          if (place >= data.size() / geometry.slot_bytes || place >= geometry.capacity) break;
          const auto vector = std::as_bytes(std::span(data))
                                  .subspan(place * geometry.slot_bytes, geometry.slot_bytes)
                                  .subspan(sizeof(std::uint64_t));
          const std::uint64_t sum = geometry.checksum_of(vector, at->first, at->second);
          const std::uint64_t of_null = geometry.checksum_of({}, at->first, at->second);
          if (storage::load_u64(std::as_bytes(std::span(data)).data() + place * geometry.slot_bytes) ==
              of_null)
            continue;
          std::memcpy(data.data() + place * geometry.slot_bytes, &sum, sizeof sum);
        }
        if (data == row[1]) continue;
        db_.rows("UPDATE t_chunks SET data = ?1 WHERE id = " + row[0], Bytes{data});
      }
    }
  }

  Connection& db_;
  storage::TableShape shape_;
};

}  // namespace isovec::test
