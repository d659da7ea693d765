#include "core/matrix_kernels.hpp"

#include <array>
#include <string_view>

#include "core/kernels.hpp"

namespace isovec::core {

extern const MatrixKernels kBaselineMatrixKernels;
#if defined(__x86_64__)
extern const MatrixKernels kAvx2MatrixKernels;
extern const MatrixKernels kAvx512MatrixKernels;
#endif

namespace {

struct Runnable {
  std::array<const MatrixKernels*, 3> tables{};
  std::size_t count = 0;
};

Runnable find_runnable() noexcept {
  Runnable found;
  found.tables[found.count++] = &kBaselineMatrixKernels;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    found.tables[found.count++] = &kAvx2MatrixKernels;
    if (__builtin_cpu_supports("avx512f")) found.tables[found.count++] = &kAvx512MatrixKernels;
  }
#endif
  return found;
}

const Runnable& runnable() noexcept {
  static const Runnable found_once = find_runnable();
  return found_once;
}

// "avx512" serves the kernel table "avx512vnni" as well.
const MatrixKernels& choose() noexcept {
  const MatrixKernels* chosen = &kBaselineMatrixKernels;
  for (const MatrixKernels* table : runnable_matrix_kernels()) {
    if (std::string_view(kernels().name).starts_with(table->name)) chosen = table;
  }
  return *chosen;
}

}  // namespace

const MatrixKernels& matrix_kernels() noexcept {
  static const MatrixKernels& chosen_once = choose();
  return chosen_once;
}

std::span<const MatrixKernels* const> runnable_matrix_kernels() noexcept {
  return {runnable().tables.data(), runnable().count};
}

}  // namespace isovec::core
