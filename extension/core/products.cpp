#include "core/products.hpp"

#include <algorithm>
#include <isovec/buffer.hpp>

namespace isovec::core {
namespace {

// A piece has at most 128 x 1024 x 256 products, some milliseconds of work. The kernel sums kBlockRows terms
// at a time anyway, so that cutting there changes no sum.
constexpr std::size_t kPieceRows = 128;
constexpr std::size_t kPieceColumns = 1024;
constexpr std::size_t kPieceProducts = kPieceRows * kPieceColumns * kBlockRows;

// Products in the time of one number that Work counts.
constexpr std::size_t kProductsAtOnce = 8;

}  // namespace

void multiply_add(std::size_t m, std::size_t n, std::size_t k, double alpha, MatrixView a, MatrixView b,
                  double* c, std::size_t c_step, Work& work) {
  const MatrixKernels& kernels = matrix_kernels();
  if (!work.asks()) {
    Buffer<double> workspace(kernels.workspace(std::max(m, n)));
    return kernels.multiply_add(m, n, k, alpha, a, b, c, c_step, workspace.data());
  }
  Buffer<double> workspace(kernels.workspace(std::min(std::max(m, n), kPieceColumns)));
  for (std::size_t row = 0; row < m; row += kPieceRows) {
    for (std::size_t term = 0; term < k; term += kBlockRows) {
      for (std::size_t column = 0; column < n; column += kPieceColumns) {
        const MatrixView left{a.data + row * a.row_step + term * a.column_step, a.row_step, a.column_step};
        const MatrixView right{b.data + term * b.row_step + column * b.column_step, b.row_step,
                               b.column_step};
        const std::size_t height = std::min(kPieceRows, m - row), width = std::min(kPieceColumns, n - column),
                          depth = std::min(kBlockRows, k - term);
        kernels.multiply_add(height, width, depth, alpha, left, right, c + row * c_step + column, c_step,
                             workspace.data());
        work.done(height * width * depth / kProductsAtOnce);
      }
    }
  }
}

void add_products(AddProducts add, const double* left, const double* right, const double* weights,
                  std::size_t rows, std::size_t columns, std::size_t& first, double* packed,
                  double* workspace, Work& work) {
  const std::size_t product = std::max<std::size_t>(rows * columns, 1);
  const std::size_t piece = work.asks() ? std::max(kPieceRows, kPieceProducts / product) : columns;
  while (first < columns) {
    const std::size_t last = std::min(columns, first + piece);
    add(left, right, weights, rows, columns, first, last, packed, workspace);
    const std::size_t products = rows * (last - first) * last;
    first = last;
    work.done(products / kProductsAtOnce);
  }
}

}  // namespace isovec::core
