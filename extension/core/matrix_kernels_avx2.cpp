// AVX2 with FMA.
#define ISOVEC_MATRIX_TABLE kAvx2MatrixKernels
#define ISOVEC_MATRIX_NAME "avx2"
#define ISOVEC_VECTOR_BYTES 32
#define ISOVEC_TILE_ROWS 4
#define ISOVEC_TILE_REGISTERS 3
#include "core/matrix_kernels_impl.hpp"
