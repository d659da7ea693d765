// What every CPU of the architecture runs: SSE2 on x86-64, NEON on 64-bit ARM.
#include "core/kernels_impl.hpp"

namespace isovec::core {

#if defined(__x86_64__)
constinit const KernelTable kBaselineTable = make_table<xsimd::sse2>("baseline");
#elif defined(__aarch64__)
constinit const KernelTable kNeonTable = make_table<xsimd::neon64>("neon");
#else
#error "isovec has kernels for x86-64 and 64-bit ARM"
#endif

}  // namespace isovec::core
