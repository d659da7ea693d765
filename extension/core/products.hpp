#pragma once
// Large matrix products that can be stopped: the kernels, a piece of some milliseconds at a time. The pieces
// change no bit of the result.

#include <cstddef>

#include "core/matrix_kernels.hpp"
#include "core/work.hpp"

namespace isovec::core {

/// c += alpha a b as MatrixKernels::multiply_add.
void multiply_add(std::size_t m, std::size_t n, std::size_t k, double alpha, MatrixView a, MatrixView b,
                  double* c, std::size_t c_step, Work& work);

/// MatrixKernels::add_products or add_products_f32 from row `first` of the triangle on, which then is the row
/// to go on from where the work is stopped, and at last `columns`.
using AddProducts = decltype(MatrixKernels::add_products);
void add_products(AddProducts add, const double* left, const double* right, const double* weights,
                  std::size_t rows, std::size_t columns, std::size_t& first, double* packed,
                  double* workspace, Work& work);

}  // namespace isovec::core
