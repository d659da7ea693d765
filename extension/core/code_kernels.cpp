#include "core/code_kernels.hpp"

#include <array>
#include <string_view>

#include "core/code_kernels_tables.hpp"
#include "core/kernels.hpp"

namespace isovec::core {
namespace {

#if defined(__x86_64__)
constexpr std::array<const CodeKernels*, 4> kBuilt = {&kBaselineCodeKernels, &kAvx2CodeKernels,
                                                      &kAvx512CodeKernels, &kAvx512VnniCodeKernels};
#else
constexpr std::array<const CodeKernels*, 1> kBuilt = {&kNeonCodeKernels};
#endif

const CodeKernels* partner_of(const KernelTable& table) noexcept {
  for (const CodeKernels* candidate : kBuilt) {
    if (std::string_view(candidate->name) == table.name) return candidate;
  }
  return kBuilt.front();
}

struct Runnable {
  std::array<const CodeKernels*, kBuilt.size()> tables{};
  std::size_t count = 0;
};

Runnable find_runnable() noexcept {
  Runnable found;
  for (const KernelTable* table : runnable_kernels()) found.tables[found.count++] = partner_of(*table);
  return found;
}

}  // namespace

const CodeKernels& code_kernels() noexcept {
  static const CodeKernels* const chosen_once = partner_of(kernels());
  return *chosen_once;
}

std::span<const CodeKernels* const> runnable_code_kernels() noexcept {
  static const Runnable found_once = find_runnable();
  return {found_once.tables.data(), found_once.count};
}

}  // namespace isovec::core
