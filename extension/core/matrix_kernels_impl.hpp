// The bodies behind matrix_kernels.hpp, included once by each matrix_kernels_<isa>.cpp, which defines
//   ISOVEC_MATRIX_TABLE  the name of the table
//   ISOVEC_MATRIX_NAME   the instruction set's name
//   ISOVEC_VECTOR_BYTES  the width of a register
//   ISOVEC_TILE_ROWS, ISOVEC_TILE_REGISTERS  the tile of the product that is held in registers
// Written in GNU vector extensions: the compiler maps them to the target's registers and fuses multiply-adds
// where it has them. All in an unnamed namespace, without a single function of the standard library, so that
// no code for a newer CPU can stand in for a function that other files share by name.

#include <cstddef>
#include <cstdint>

#include "core/matrix_kernels.hpp"

namespace isovec::core {
namespace {

constexpr std::size_t kTileRows = ISOVEC_TILE_ROWS;
constexpr std::size_t kTileRegisters = ISOVEC_TILE_REGISTERS;

typedef double VectorF64 __attribute__((vector_size(ISOVEC_VECTOR_BYTES)));
typedef float VectorF32 __attribute__((vector_size(ISOVEC_VECTOR_BYTES)));
template <class T>
struct RegisterOf;
template <>
struct RegisterOf<double> {
  using Type = VectorF64;
};
template <>
struct RegisterOf<float> {
  using Type = VectorF32;
};
template <class T>
constexpr std::size_t kLanes = ISOVEC_VECTOR_BYTES / sizeof(T);
template <class T>
constexpr std::size_t kTileColumns = kTileRegisters* kLanes<T>;

constexpr std::size_t round_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}
constexpr std::size_t smaller(std::size_t a, std::size_t b) {
  return a < b ? a : b;
}

// Registers from and to any address.
template <class V>
[[gnu::always_inline]] inline V load(const void* p) {
  V v;
  __builtin_memcpy(&v, p, sizeof(V));
  return v;
}
template <class V>
[[gnu::always_inline]] inline void store(void* p, V v) {
  __builtin_memcpy(p, &v, sizeof(V));
}

// ---- products ----

// Panels: groups of `width` neighbouring columns of `rows` rows, each group rows x width, padded with zeros.
template <class T, class Element>
void pack(std::size_t rows, std::size_t columns, std::size_t width, Element element, T* out) {
  for (std::size_t begin = 0; begin < columns; begin += width) {
    const std::size_t filled = smaller(width, columns - begin);
    for (std::size_t r = 0; r < rows; ++r, out += width) {
      for (std::size_t j = 0; j < filled; ++j) out[j] = static_cast<T>(element(r, begin + j));
      for (std::size_t j = filled; j < width; ++j) out[j] = T(0);
    }
  }
}

// tile = sum over r of a_r b_r^T for a panel of kTileRows and one of kTileColumns columns.
template <class T>
void multiply_panels(const T* a, const T* b, std::size_t rows, T* tile) {
  using Vector = typename RegisterOf<T>::Type;
  Vector sums[kTileRows][kTileRegisters] = {};
  for (std::size_t r = 0; r < rows; ++r, a += kTileRows, b += kTileColumns<T>) {
    Vector right[kTileRegisters];
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kTileRegisters; ++v) right[v] = load<Vector>(b + v * kLanes<T>);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kTileRows; ++i) {
      const T left = a[i];
#pragma GCC unroll 8
      for (std::size_t v = 0; v < kTileRegisters; ++v) sums[i][v] += left * right[v];
    }
  }
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kTileRows; ++i) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kTileRegisters; ++v) {
      store(tile + i * kTileColumns<T> + v * kLanes<T>, sums[i][v]);
    }
  }
}

std::size_t workspace_size(std::size_t columns) noexcept {
  return kBlockRows * (round_up(columns, kTileRows) + round_up(columns, kTileColumns<float>));
}

// Adds the part of a tile at (row, column) that lies on or below the diagonal and above row `last`.
template <class T>
void add_to_triangle(const T* tile, std::size_t row, std::size_t column, std::size_t last, double* packed) {
  const std::size_t end = smaller(row + kTileRows, last);
  for (std::size_t i = row; i < end; ++i, tile += kTileColumns<T>) {
    if (i < column) continue;
    double* out = packed + i * (i + 1) / 2 + column;
    const std::size_t count = smaller(i - column + 1, kTileColumns<T>);
    for (std::size_t j = 0; j < count; ++j) out[j] += static_cast<double>(tile[j]);
  }
}

template <class T>
void add_products(const double* left, const double* right, const double* weights, std::size_t rows,
                  std::size_t columns, std::size_t first, std::size_t last, double* packed,
                  double* workspace) noexcept {
  T* const a = reinterpret_cast<T*>(workspace);
  T* const b = a + rows * round_up(last - first, kTileRows);
  pack<T>(
      rows, last - first, kTileRows,
      [&](std::size_t r, std::size_t j) {
        const double factor = left[r * columns + first + j];
        return weights == nullptr ? factor : weights[r] * factor;
      },
      a);
  pack<T>(
      rows, last, kTileColumns<T>, [&](std::size_t r, std::size_t j) { return right[r * columns + j]; }, b);
  alignas(64) T tile[kTileRows * kTileColumns<T>];
  for (std::size_t column = 0; column < last; column += kTileColumns<T>) {
    const std::size_t above = column > first ? (column - first) / kTileRows * kTileRows : 0;
    for (std::size_t row = first + above; row < last; row += kTileRows) {
      multiply_panels<T>(a + (row - first) * rows, b + column * rows, rows, tile);
      add_to_triangle<T>(tile, row, column, last, packed);
    }
  }
}

void multiply_add(std::size_t m, std::size_t n, std::size_t k, double alpha, MatrixView a, MatrixView b,
                  double* c, std::size_t c_step, double* workspace) noexcept {
  double* const left = workspace;
  double* const right = left + kBlockRows * round_up(m, kTileRows);
  alignas(64) double tile[kTileRows * kTileColumns<double>];
  for (std::size_t begin = 0; begin < k; begin += kBlockRows) {
    const std::size_t depth = smaller(kBlockRows, k - begin);
    pack<double>(
        depth, m, kTileRows,
        [&](std::size_t r, std::size_t i) {
          return alpha * a.data[i * a.row_step + (begin + r) * a.column_step];
        },
        left);
    pack<double>(
        depth, n, kTileColumns<double>,
        [&](std::size_t r, std::size_t j) { return b.data[(begin + r) * b.row_step + j * b.column_step]; },
        right);
    for (std::size_t column = 0; column < n; column += kTileColumns<double>) {
      const std::size_t width = smaller(kTileColumns<double>, n - column);
      for (std::size_t row = 0; row < m; row += kTileRows) {
        multiply_panels<double>(left + row * depth, right + column * depth, depth, tile);
        const std::size_t height = smaller(kTileRows, m - row);
        for (std::size_t i = 0; i < height; ++i) {
          double* const out = c + (row + i) * c_step + column;
          for (std::size_t j = 0; j < width; ++j) out[j] += tile[i * kTileColumns<double> + j];
        }
      }
    }
  }
}

// ---- vectors ----

double sum_of_lanes(VectorF64 v) {
  double sum = 0;
  for (std::size_t l = 0; l < kLanes<double>; ++l) sum += v[l];
  return sum;
}

double dot(const double* x, const double* y, std::size_t n) noexcept {
  constexpr std::size_t lanes = kLanes<double>;
  VectorF64 sums[4] = {};
  std::size_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < 4; ++v) {
      sums[v] += load<VectorF64>(x + i + v * lanes) * load<VectorF64>(y + i + v * lanes);
    }
  }
  for (; i + lanes <= n; i += lanes) sums[0] += load<VectorF64>(x + i) * load<VectorF64>(y + i);
  double sum = sum_of_lanes((sums[0] + sums[1]) + (sums[2] + sums[3]));
  for (; i < n; ++i) sum += x[i] * y[i];
  return sum;
}

void add_scaled(double alpha, const double* x, double* y, std::size_t n) noexcept {
  constexpr std::size_t lanes = kLanes<double>;
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) store(y + i, load<VectorF64>(y + i) + alpha * load<VectorF64>(x + i));
  for (; i < n; ++i) y[i] += alpha * x[i];
}

// Four rows of the triangle at once, so that y passes through the registers once for the four: the columns
// [0, row) left of the block are read once and serve both as row and, mirrored, as column.
void four_rows_times_vector(const double* const rows[4], std::size_t row, const double* x, double* y) {
  constexpr std::size_t lanes = kLanes<double>;
  VectorF64 sums[4] = {};
  double tails[4] = {};
  std::size_t j = 0;
  for (; j + lanes <= row; j += lanes) {
    const VectorF64 xs = load<VectorF64>(x + j);
    VectorF64 ys = load<VectorF64>(y + j);
#pragma GCC unroll 4
    for (std::size_t i = 0; i < 4; ++i) {
      const VectorF64 a = load<VectorF64>(rows[i] + j);
      sums[i] += a * xs;
      ys += a * x[row + i];
    }
    store(y + j, ys);
  }
  for (; j < row; ++j) {
    for (std::size_t i = 0; i < 4; ++i) {
      tails[i] += rows[i][j] * x[j];
      y[j] += rows[i][j] * x[row + i];
    }
  }
  for (std::size_t i = 0; i < 4; ++i) y[row + i] += sum_of_lanes(sums[i]) + tails[i];
}

void symmetric_times_vector(const double* packed, std::size_t n, const double* x, double* y) noexcept {
  for (std::size_t i = 0; i < n; ++i) y[i] = 0;
  std::size_t row = 0;
  for (; row + 4 <= n; row += 4) {
    const double* rows[4];
    for (std::size_t i = 0; i < 4; ++i) rows[i] = packed + (row + i) * (row + i + 1) / 2;
    four_rows_times_vector(rows, row, x, y);
    for (std::size_t i = 0; i < 4; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        y[row + i] += rows[i][row + j] * x[row + j];
        y[row + j] += rows[i][row + j] * x[row + i];
      }
      y[row + i] += rows[i][row + i] * x[row + i];
    }
  }
  for (; row < n; ++row) {
    const double* const a = packed + row * (row + 1) / 2;
    y[row] = dot(a, x, row) + a[row] * x[row];
    add_scaled(x[row], a, y, row);
  }
}

// ---- rotations ----

// Applies the sweeps to a matrix whose rows are `Count` registers. The row that two successive rotations
// share stays in the registers.
template <class V, std::size_t Count>
void rotate_rows(const Sweep* sweeps, std::size_t count, double* rows) {
  constexpr std::size_t lanes = sizeof(V) / sizeof(double), width = Count * lanes;
  for (std::size_t t = 0; t < count; ++t) {
    const Sweep& sweep = sweeps[t];
    V carried[Count];
    double* upper = rows + (sweep.high + 1) * width;
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Count; ++v) carried[v] = load<V>(upper + v * lanes);
    const std::size_t turns = sweep.high - sweep.low + 1;
    for (std::size_t turn = 0; turn < turns; ++turn, upper -= width) {
      const double c = sweep.cosines[turn], s = sweep.sines[turn];
      const double* const lower = upper - width;
#pragma GCC unroll 4
      for (std::size_t v = 0; v < Count; ++v) {
        const V x = load<V>(lower + v * lanes);
        store(upper + v * lanes, s * x + c * carried[v]);
        carried[v] = c * x - s * carried[v];
      }
    }
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Count; ++v) store(upper + v * lanes, carried[v]);
  }
}

// Copies a strip of columns together, rotates and copies it back: left where it is, its rows would fall into
// few cache sets when the matrix is wide.
template <class V, std::size_t Count>
void rotate_strip(const Sweep* sweeps, std::size_t count, double* strip, std::size_t row_count,
                  std::size_t row_step, double* copy) {
  constexpr std::size_t width = Count * sizeof(V) / sizeof(double);
  for (std::size_t i = 0; i < row_count; ++i) {
    __builtin_memcpy(copy + i * width, strip + i * row_step, width * sizeof(double));
  }
  rotate_rows<V, Count>(sweeps, count, copy);
  for (std::size_t i = 0; i < row_count; ++i) {
    __builtin_memcpy(strip + i * row_step, copy + i * width, width * sizeof(double));
  }
}

void rotate(const Sweep* sweeps, std::size_t count, double* rows, std::size_t row_count, std::size_t columns,
            std::size_t row_step, double* workspace) noexcept {
  constexpr std::size_t lanes = kLanes<double>;
  std::size_t j = 0;
  for (; j + 4 * lanes <= columns; j += 4 * lanes) {
    rotate_strip<VectorF64, 4>(sweeps, count, rows + j, row_count, row_step, workspace);
  }
  for (; j + lanes <= columns; j += lanes) {
    rotate_strip<VectorF64, 1>(sweeps, count, rows + j, row_count, row_step, workspace);
  }
  for (; j < columns; ++j) rotate_strip<double, 1>(sweeps, count, rows + j, row_count, row_step, workspace);
}

}  // namespace

extern const MatrixKernels ISOVEC_MATRIX_TABLE;
const MatrixKernels ISOVEC_MATRIX_TABLE = {
    ISOVEC_MATRIX_NAME,
    workspace_size,
    add_products<double>,
    add_products<float>,
    multiply_add,
    symmetric_times_vector,
    dot,
    add_scaled,
    rotate,
};

}  // namespace isovec::core
