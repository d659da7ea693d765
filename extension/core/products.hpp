#pragma once
// Large matrix products that can be stopped.

#include <cstddef>
#include <isovec/checkpoint.hpp>

#include "core/matrix_kernels.hpp"

namespace isovec::core {

/// c += alpha a b as MatrixKernels::multiply_add, a slice of rows at a time; between slices `checkpoint` is
/// asked.
void multiply_add(std::size_t m, std::size_t n, std::size_t k, double alpha, MatrixView a, MatrixView b,
                  double* c, std::size_t c_step, const Checkpoint& checkpoint);

}  // namespace isovec::core
