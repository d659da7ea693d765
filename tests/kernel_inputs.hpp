#pragma once
// What the tests of the kernels share: dimensions and values worth trying, the canonical reduction written as
// plainly as it is described, and vectors at awkward places in memory.

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace isovec::test {

/// 0 ... 67, so every length of the last incomplete step, and sizes that embeddings have.
inline std::vector<std::size_t> dimensions() {
  std::vector<std::size_t> result;
  for (std::size_t d = 0; d <= 67; ++d) result.push_back(d);
  for (const std::size_t d : {100, 300, 384, 768, 1000, 1536}) result.push_back(d);
  return result;
}

/// Kinds of values. Products of `huge` overflow float32, those of `tiny` underflow, `denormal` are so
/// themselves.
enum class Values { ordinary, huge, tiny, denormal, mixed };

inline std::vector<float> values(Values kind, std::size_t d, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> result(d);
  for (float& x : result) {
    Values used = kind;
    if (kind == Values::mixed) used = static_cast<Values>(random() % 4);
    x = normal(random);
    if (used == Values::huge) x *= 0x1p124F;
    if (used == Values::tiny) x *= 0x1p-70F;
    if (used == Values::denormal) x *= 0x1p-140F;
  }
  return result;
}

/// The canonical reduction: lanes in order, one rounding per operation, the fixed tree. 32 lanes of float32,
/// 16 of float64; term(i) for i < d.
template <class T, class Term>
T canonical_sum(std::size_t d, Term term) {
  constexpr std::size_t kLanes = sizeof(T) == 4 ? 32 : 16;
  std::array<T, kLanes> lane{};
  for (std::size_t i = 0; i < d; ++i) lane[i % kLanes] += term(i);
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t l = 0; l < half; ++l) lane[l] += lane[l + half];
  }
  return lane[0];
}

/// Equal bits; all NaNs count as one.
template <class T>
bool same_bits(T a, T b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return std::memcmp(&a, &b, sizeof a) == 0;
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!same_bits(a[i], b[i])) return false;
  }
  return true;
}

/// A copy of values whose last byte is the last of a readable page: reading on is a segmentation fault. The
/// start is aligned to `misalignment` bytes past a multiple of the element's size.
template <class T>
class AtPageEnd {
 public:
  explicit AtPageEnd(const std::vector<T>& values, std::size_t misalignment = 0) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t bytes = values.size() * sizeof(T);
    size_ = (bytes + misalignment + page - 1) / page * page + page;
    memory_ = static_cast<char*>(
        mmap(nullptr, size_ + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(memory_ + size_, page, PROT_NONE);
    size_ += page;
    start_ = memory_ + size_ - page - misalignment - bytes;
    if (bytes > 0) std::memcpy(start_, values.data(), bytes);
  }
  ~AtPageEnd() { munmap(memory_, size_); }
  AtPageEnd(const AtPageEnd&) = delete;
  AtPageEnd& operator=(const AtPageEnd&) = delete;

  [[nodiscard]] const T* data() const { return reinterpret_cast<const T*>(start_); }

 private:
  char* memory_;
  char* start_;
  std::size_t size_;
};

}  // namespace isovec::test
