// AVX-512.
#define ISOVEC_MATRIX_TABLE kAvx512MatrixKernels
#define ISOVEC_MATRIX_NAME "avx512"
#define ISOVEC_VECTOR_BYTES 64
#define ISOVEC_TILE_ROWS 8
#define ISOVEC_TILE_REGISTERS 3
#include "core/matrix_kernels_impl.hpp"
