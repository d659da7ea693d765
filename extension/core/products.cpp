#include "core/products.hpp"

#include <algorithm>
#include <isovec/buffer.hpp>

namespace isovec::core {
namespace {

// Rows of a slice: at 8,192 columns and as many terms they take less than a second.
constexpr std::size_t kSliceRows = 128;

}  // namespace

void multiply_add(std::size_t m, std::size_t n, std::size_t k, double alpha, MatrixView a, MatrixView b,
                  double* c, std::size_t c_step, const Checkpoint& checkpoint) {
  const MatrixKernels& kernels = matrix_kernels();
  const std::size_t slice = checkpoint ? kSliceRows : m;
  Buffer<double> workspace(kernels.workspace(std::max(std::min(slice, m), n)));
  for (std::size_t row = 0; row < m; row += slice) {
    if (checkpoint) checkpoint();
    const MatrixView rows{a.data + row * a.row_step, a.row_step, a.column_step};
    kernels.multiply_add(std::min(slice, m - row), n, k, alpha, rows, b, c + row * c_step, c_step,
                         workspace.data());
  }
}

}  // namespace isovec::core
