#pragma once
// The tables that this build has, one per kernels_<isa>.cpp, for dispatch.cpp to choose from.

#include "core/kernels.hpp"

namespace isovec::core {

#if defined(__aarch64__)
extern const KernelTable kNeonTable;
#else
extern const KernelTable kBaselineTable;
#endif
#if defined(__x86_64__)
extern const KernelTable kAvx2Table;
extern const KernelTable kAvx512Table;
extern const KernelTable kAvx512VnniTable;
#endif

}  // namespace isovec::core
