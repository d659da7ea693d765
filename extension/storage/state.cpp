#include "storage/state.hpp"

#include <isovec/error.hpp>

#include "storage/checksum.hpp"
#include "storage/statements.hpp"

namespace isovec::storage {
namespace {

constexpr std::size_t kPlainBytes = 48;  // of a table without NULL vectors
constexpr std::size_t kNullBytes = 56;
constexpr std::size_t kNulls = 40;
constexpr std::int64_t kMostColumns = 64;      // the bits of State::fitted
constexpr std::uint64_t kSeed = 0x7374617465;  // "state"

// The checksum stands at the end.
std::size_t checked(std::size_t size) noexcept {
  return size - sizeof(std::uint64_t);
}

}  // namespace

StateBytes::StateBytes(const State& state) noexcept : size_(state.nulls == 0 ? kPlainBytes : kNullBytes) {
  store(bytes_.data(), state.history);
  store(bytes_.data() + 8, state.rows);
  store(bytes_.data() + 16, state.slots);
  store(bytes_.data() + 24, state.transforms);
  store(bytes_.data() + 32, state.fitted);
  if (state.nulls != 0) store(bytes_.data() + kNulls, state.nulls);
  store(bytes_.data() + checked(size_), checksum(std::span(bytes_).first(checked(size_)), kSeed));
}

State decode_state(std::span<const std::byte> bytes) {
  const bool sized = bytes.size() == kPlainBytes || bytes.size() == kNullBytes;
  if (!sized ||
      load_u64(bytes.data() + checked(bytes.size())) != checksum(bytes.first(checked(bytes.size())), kSeed)) {
    throw Error(Code::corrupt, "the table's state record is damaged: run 'rebuild' or restore a backup");
  }
  State state{load_u64(bytes.data()), load_i64(bytes.data() + 8), load_i64(bytes.data() + 16),
              load_u64(bytes.data() + 24), load_u64(bytes.data() + 32)};
  const bool counts_nulls = bytes.size() == kNullBytes;
  if (counts_nulls) state.nulls = load_i64(bytes.data() + kNulls);
  const bool counts = state.rows >= 0 && state.rows <= state.slots && state.slots <= kMostSlots;
  const bool nulls = (state.nulls > 0) == counts_nulls && state.nulls / kMostColumns <= state.slots;
  if (!counts || !nulls) throw Error(Code::corrupt, "the table's state record is damaged");
  return state;
}

void write_state(Statements& statements, const State& state) {
  const StateBytes bytes(state);
  statements[Sql::write_state].bind(1, bytes.bytes()).run();
}

}  // namespace isovec::storage
