#include "storage/state.hpp"

#include <isovec/error.hpp>

#include "storage/checksum.hpp"

namespace isovec::storage {
namespace {

constexpr std::size_t kChecked = kStateBytes - sizeof(std::uint64_t);
constexpr std::uint64_t kSeed = 0x7374617465;  // "state"

}  // namespace

std::array<std::byte, kStateBytes> encode(const State& state) noexcept {
  std::array<std::byte, kStateBytes> bytes{};
  store(bytes.data(), state.history);
  store(bytes.data() + 8, state.rows);
  store(bytes.data() + 16, state.slots);
  store(bytes.data() + 24, state.transforms);
  store(bytes.data() + 32, state.fitted);
  store(bytes.data() + kChecked, checksum(std::span(bytes).first(kChecked), kSeed));
  return bytes;
}

State decode_state(std::span<const std::byte> bytes) {
  if (bytes.size() != kStateBytes ||
      load_u64(bytes.data() + kChecked) != checksum(bytes.first(kChecked), kSeed)) {
    throw Error(Code::corrupt, "the table's state record is damaged: run 'rebuild' or restore a backup");
  }
  const State state{load_u64(bytes.data()), load_i64(bytes.data() + 8), load_i64(bytes.data() + 16),
                    load_u64(bytes.data() + 24), load_u64(bytes.data() + 32)};
  if (state.rows < 0 || state.rows > state.slots)
    throw Error(Code::corrupt, "the table's state record is damaged");
  return state;
}

}  // namespace isovec::storage
