#include "core/pair_kernels.hpp"

#include <array>
#include <string_view>

#include "core/kernels.hpp"

namespace isovec::core {

extern const PairKernels kBaselinePairKernels;
#if defined(__x86_64__)
extern const PairKernels kAvx2PairKernels;
extern const PairKernels kAvx512PairKernels;
#endif

namespace {

struct Runnable {
  std::array<const PairKernels*, 3> tables{};
  std::size_t count = 0;
};

Runnable find_runnable() noexcept {
  Runnable found;
  found.tables[found.count++] = &kBaselinePairKernels;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    found.tables[found.count++] = &kAvx2PairKernels;
    if (__builtin_cpu_supports("avx512f")) found.tables[found.count++] = &kAvx512PairKernels;
  }
#endif
  return found;
}

const Runnable& runnable() noexcept {
  static const Runnable found_once = find_runnable();
  return found_once;
}

// "avx512" serves the kernel table "avx512vnni" as well.
const PairKernels& choose() noexcept {
  const PairKernels* chosen = &kBaselinePairKernels;
  for (const PairKernels* table : runnable_pair_kernels()) {
    if (std::string_view(kernels().name).starts_with(table->name)) chosen = table;
  }
  return *chosen;
}

}  // namespace

const PairKernels& pair_kernels() noexcept {
  static const PairKernels& chosen_once = choose();
  return chosen_once;
}

std::span<const PairKernels* const> runnable_pair_kernels() noexcept {
  return {runnable().tables.data(), runnable().count};
}

}  // namespace isovec::core
