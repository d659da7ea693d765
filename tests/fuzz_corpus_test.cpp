// The fuzz harnesses over mutations of their seeds that are the same every time: cut at every length, every
// byte changed, pieces doubled, moved and mixed. ISOVEC_FUZZ_ROUNDS=n mixes n times as many.

#include <algorithm>
#include <isovec/buffer.hpp>
#include <random>

#include "catch.hpp"
#include "fuzz/harness.hpp"

namespace {

using isovec::fuzz::Bytes;
using isovec::fuzz::Harness;

long rounds() {
  const char* wanted = std::getenv("ISOVEC_FUZZ_ROUNDS");
  return wanted != nullptr ? std::atol(wanted) : 1;
}

// Bytes that mean something in one format or another.
constexpr unsigned char kTelling[] = {0x00, 0x01, 0x7F, 0x80, 0xFF, '[', ']', ',', '"',
                                      '\'', '(',  ')',  '=',  ' ',  '9', '-', 'e'};

long run_each_byte(const Harness& harness, const Bytes& seed) {
  long count = 0;
  const std::size_t stride = 1 + seed.size() / 100;  // a long seed is tried at fewer places
  for (std::size_t i = 0; i < seed.size(); i += stride) {
    harness.run({seed.data(), i});
    Bytes changed = seed;
    for (const unsigned char value : kTelling) {
      changed[i] = static_cast<std::byte>(value);
      harness.run(changed);
    }
    changed[i] = seed[i] ^ std::byte{0x10};
    harness.run(changed);
    count += 2 + static_cast<long>(std::size(kTelling));
  }
  return count;
}

class Mixer {
 public:
  explicit Mixer(isovec::Buffer<Bytes> seeds) : seeds_(std::move(seeds)) {}
  Bytes mix() {
    Bytes bytes = seeds_[draw(seeds_.size())];
    for (std::size_t steps = 1 + draw(4); steps > 0; --steps) change(bytes);
    return bytes;
  }

 private:
  std::size_t draw(std::size_t below) { return random_() % std::max<std::size_t>(below, 1); }
  void change(Bytes& bytes) {
    if (bytes.empty()) return;
    const std::size_t from = draw(bytes.size());
    const std::size_t size = 1 + draw(std::min<std::size_t>(bytes.size() - from, 16));
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(from);
    const auto end = begin + static_cast<std::ptrdiff_t>(size);
    switch (draw(5)) {
      case 0:
        bytes.erase(begin, end);
        return;
      case 1: {
        const Bytes piece(begin, end);
        bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(draw(bytes.size())), piece.begin(),
                     piece.end());
        return;
      }
      case 2: {
        const Bytes& other = seeds_[draw(seeds_.size())];
        std::copy_n(other.begin(), std::min(size, other.size()), begin);
        return;
      }
      case 3:
        for (auto it = begin; it != end; ++it) *it = static_cast<std::byte>(random_());
        return;
      default:
        *begin = static_cast<std::byte>(kTelling[draw(std::size(kTelling))]);
    }
  }

  isovec::Buffer<Bytes> seeds_;
  std::mt19937 random_{20260801};
};

}  // namespace

TEST_CASE("no mutation of a sound input does harm", "[fuzz]") {
  for (const Harness& harness : isovec::fuzz::harnesses()) {
    const char* only = std::getenv("ISOVEC_FUZZ_HARNESS");
    if (only != nullptr && std::string(only) != harness.name) continue;
    CAPTURE(harness.name);
    const isovec::Buffer<Bytes> seeds = harness.seeds();
    REQUIRE(!seeds.empty());
    long count = 0;
    for (const Bytes& seed : seeds) {
      harness.run(seed);
      count += run_each_byte(harness, seed);
    }
    Mixer mixer(seeds);
    for (long i = 0; i < 600 * rounds(); ++i, ++count) harness.run(mixer.mix());
    std::printf("%8ld inputs: %s\n", count, harness.name);
    SUCCEED();
  }
}
