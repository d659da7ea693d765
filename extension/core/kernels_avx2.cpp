// AVX2 with F16C. Not FMA: the canonical reduction rounds every product.
#include "core/kernels_impl.hpp"

namespace isovec::core {

constinit const KernelTable kAvx2Table = make_table<xsimd::avx2>("avx2");

}  // namespace isovec::core
