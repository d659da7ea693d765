#pragma once
// The tables of code kernels that this build has, one per code_kernels_<isa>.cpp.

#include "core/code_kernels.hpp"

namespace isovec::core {

#if defined(__aarch64__)
extern const CodeKernels kNeonCodeKernels;
#else
extern const CodeKernels kBaselineCodeKernels;
#endif
#if defined(__x86_64__)
extern const CodeKernels kAvx2CodeKernels;
extern const CodeKernels kAvx512CodeKernels;
extern const CodeKernels kAvx512VnniCodeKernels;
#endif

}  // namespace isovec::core
