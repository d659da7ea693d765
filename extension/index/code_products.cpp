#include "index/code_products.hpp"

#include "core/code_kernels.hpp"

namespace isovec::index {

using codec::CodeBlockView;
using codec::RowMask;

void multiply(const CodeBlockView& block, const QueryCode& query, Products& products) noexcept {
  core::code_kernels().dot_rows(query.code(), block.codes(), block.rows(), block.dimension(),
                                products.data());
}

void multiply_largest(const CodeBlockView& block, const QueryCode& query, Products& products) noexcept {
  const codec::CoarseCodes& coarse = *block.coarse();
  const QueryCode::Planes& planes = query.planes();
  const core::CodeKernels& kernels = core::code_kernels();
  kernels.dot_nibbles(query.code(), coarse.codes, block.rows(), block.dimension(), products.data());
  const double scale = 256 / coarse.divisor;
  kernels.largest_products({256 * scale, -8 * 256 * scale * planes.high_sum, scale * planes.low_norm,
                            planes.norm, coarse.norms->data(), coarse.errors->data()},
                           products.data());
}

void multiply_rows(const CodeBlockView& block, const QueryCode& query, const RowMask& rows,
                   Products& products) noexcept {
  const std::size_t d = block.dimension();
  const core::CodeKernels& kernels = core::code_kernels();
  codec::for_each_row(rows, [&](std::size_t row) {
    for (std::size_t i = 0; i < d; i += 64) __builtin_prefetch(block.codes() + row * d + i);
  });
  codec::for_each_row(rows, [&](std::size_t row) {
    kernels.dot_rows(query.code(), block.codes() + row * d, 1, d, &products[row]);
  });
}

}  // namespace isovec::index
