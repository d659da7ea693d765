// AVX-512 F, CD, BW, DQ and VL: Skylake-X and later.
#include "core/kernels_impl.hpp"

namespace isovec::core {

constinit const KernelTable kAvx512Table = make_table<xsimd::avx512bw>("avx512");

}  // namespace isovec::core
