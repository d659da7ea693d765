// Which kernel table this process uses. Compiled for the baseline, like everything but the kernels
// themselves.

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/kernels.hpp"
#include "core/kernels_tables.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace isovec::core {
namespace {

/// The tables that run here and the one in use.
struct Selection {
  std::array<const KernelTable*, 4> tables{};
  std::size_t count = 0;
  const KernelTable* chosen = nullptr;
  std::string unknown;  // what ISOVEC_ISA names and does not run here

  void add(const KernelTable& table) { tables[count++] = &table; }
};

#if defined(__x86_64__)
// __builtin_cpu_supports("f16c") is unknown to clang before 17.
bool has_f16c() noexcept {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}
#endif

void add_runnable(Selection& selection) {
#if defined(__x86_64__)
  // __builtin_cpu_supports asks the CPU and also whether the operating system saves the wide registers.
  __builtin_cpu_init();
  selection.add(kBaselineTable);
  if (!__builtin_cpu_supports("avx2") || !has_f16c()) return;
  selection.add(kAvx2Table);
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512cd") ||
      !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512dq") ||
      !__builtin_cpu_supports("avx512vl")) {
    return;
  }
  selection.add(kAvx512Table);
  if (!__builtin_cpu_supports("avx512vnni") || !__builtin_cpu_supports("avx512vpopcntdq")) return;
  selection.add(kAvx512VnniTable);
#else
  selection.add(kNeonTable);
#endif
}

Selection select() {
  Selection selection;
  add_runnable(selection);
  selection.chosen = selection.tables[selection.count - 1];
  if (const char* wanted = std::getenv("ISOVEC_ISA")) {
    std::string_view named = wanted;
    for (std::size_t i = 0; i < selection.count; ++i) {
      if (std::string_view(selection.tables[i]->name) != wanted) continue;
      selection.chosen = selection.tables[i];
      named = {};
    }
    selection.unknown = named;
  }
  return selection;
}

const Selection& selection() noexcept {
  static const Selection chosen_once = select();
  return chosen_once;
}

}  // namespace

const KernelTable& kernels() noexcept {
  return *selection().chosen;
}

std::string_view unknown_kernels() noexcept {
  return selection().unknown;
}

std::span<const KernelTable* const> runnable_kernels() noexcept {
  return {selection().tables.data(), selection().count};
}

}  // namespace isovec::core
