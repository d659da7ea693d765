// AVX-512 as in kernels_avx512.cpp with VNNI and VPOPCNTDQ: Ice Lake, Zen 4 and later.
#include "core/kernels_impl.hpp"

namespace isovec::core {

constinit const KernelTable kAvx512VnniTable = make_table<xsimd::avx512bw>("avx512vnni");

}  // namespace isovec::core
