#pragma once
// The bodies of the kernels, once for every instruction set. Each kernels_<isa>.cpp includes this file, is
// compiled with its own flags and makes one table; nothing else includes it. The rules that keep an
// instruction from reaching a CPU without it: unnamed namespaces, batches that name their Arch, no standard
// container, no Eigen. A test looks at the objects (tests/isa_leak.cmake).

#include "core/kernels_half.hpp"
#include "core/kernels_integer.hpp"
#include "core/kernels_registers.hpp"
#include "core/kernels_tables.hpp"

namespace isovec::core {
namespace {

/// Lanes of the canonical reduction: 32 of float32, 16 of float64.
template <class T>
inline constexpr std::size_t kLanes = 128 / sizeof(T);

/// Registers an instruction set has; half of them hold sums.
#if defined(__AVX512F__) || defined(__aarch64__)
inline constexpr std::size_t kRegisters = 32;
#else
inline constexpr std::size_t kRegisters = 16;
#endif

// What one element contributes: a of the query, b of the row. term<m> goes into sum m of kSums.
struct Product {
  static constexpr std::size_t kSums = 1;
  template <std::size_t, class B>
  ISOVEC_INLINE static B term(B a, B b) {
    return a * b;
  }
};
struct SquaredDifference {
  static constexpr std::size_t kSums = 1;
  template <std::size_t, class B>
  ISOVEC_INLINE static B term(B a, B b) {
    const B difference = a - b;
    return difference * difference;
  }
};
struct AbsoluteDifference {
  static constexpr std::size_t kSums = 1;
  template <std::size_t, class B>
  ISOVEC_INLINE static B term(B a, B b) {
    return xsimd::abs(a - b);
  }
};
struct Square {
  static constexpr std::size_t kSums = 1;
  template <std::size_t, class B>
  ISOVEC_INLINE static B term(B, B b) {
    return b * b;
  }
};
struct ProductAndSquare {
  static constexpr std::size_t kSums = 2;
  template <std::size_t M, class B>
  ISOVEC_INLINE static B term(B a, B b) {
    return M == 0 ? a * b : b * b;
  }
};

template <class T, std::size_t Rows, std::size_t Sums>
struct RowSums {
  T value[Rows][Sums];
};

/// The canonical sums of Rows rows against one query, sharing the loads of the query.
/// Sums run in T over batches of Arch; q, x point to elements that load<> widens to T.
template <class Arch, class T, class Term, std::size_t Rows, class Q, class X>
ISOVEC_INLINE RowSums<T, Rows, Term::kSums> sum_rows(Q q, X x, std::size_t stride, std::size_t d) {
  using Batch = xsimd::batch<T, Arch>;
  constexpr std::size_t kWidth = Batch::size;
  constexpr std::size_t kBatches = kLanes<T> / kWidth;
  Batch sum[Rows][Term::kSums][kBatches];
  const auto add = [&](auto j, auto&& load_at) __attribute__((always_inline)) {
    const Batch a = load_at(q);
    unroll<Rows>([&](auto r) __attribute__((always_inline)) {
      Batch b = load_at(x + r * stride);
      if constexpr (Term::kSums > 1) b = in_register(b);
      unroll<Term::kSums>([&](auto m) __attribute__((always_inline)) {
        sum[r][m][j] = sum[r][m][j] + Term::template term<decltype(m)::value>(a, b);
      });
    });
  };
  unroll<Rows>([&](auto r) __attribute__((always_inline)) {
    unroll<Term::kSums>([&](auto m) __attribute__((always_inline)) {
      unroll<kBatches>([&](auto j) __attribute__((always_inline)) { sum[r][m][j] = Batch(T(0)); });
    });
  });

  std::size_t i = 0;
  for (; d - i >= kLanes<T>; i += kLanes<T>) {
    unroll<kBatches>([&](auto j) __attribute__((always_inline)) {
      add(
          j, [&](auto p) __attribute__((always_inline)) { return load<Batch>(p + (i + j * kWidth)); });
    });
  }
  if (i < d) {
    // A sum is never -0, so adding the zeros that pad the last step would change nothing: they are left out.
    unroll<kBatches>([&](auto j) __attribute__((always_inline)) {
      const std::size_t first = i + j * kWidth;
      if (first + kWidth <= d) {
        add(
            j, [&](auto p) __attribute__((always_inline)) { return load<Batch>(p + first); });
      } else if (first < d) {
        add(
            j, [&](auto p)
                   __attribute__((always_inline)) { return load_first<Batch>(p + first, d - first); });
      }
    });
  }

  RowSums<T, Rows, Term::kSums> result;
  unroll<Rows>([&](auto r) __attribute__((always_inline)) {
    unroll<Term::kSums>([&](auto m) __attribute__((always_inline)) {
      unroll<kBatches>([&](auto step) __attribute__((always_inline)) {
        constexpr std::size_t kHalf = kBatches >> (decltype(step)::value + 1);
        unroll<kHalf>([&](auto j) __attribute__((always_inline)) {
          sum[r][m][j] = sum[r][m][j] + sum[r][m][j + kHalf];
        });
      });
      result.value[r][m] = add_lanes(typename Batch::register_type(sum[r][m][0]));
    });
  });
  return result;
}

/// Rows of no more bytes in all are likely in the second-level cache.
inline constexpr std::size_t kCachedBytes = 256 << 10;

/// Rows whose sums fit the registers together.
template <class Arch, class T, std::size_t Sums>
constexpr std::size_t rows_at_once() {
  const std::size_t fit = kRegisters / 2 / (kLanes<T> / xsimd::batch<T, Arch>::size * Sums);
  return fit > 4 ? 4 : fit == 0 ? 1 : fit;
}

/// One query against row_count rows; sum m of row r goes to out[m][r].
template <class Arch, class T, class Term, class Q, class X>
ISOVEC_INLINE void sum_all_rows(Q q, X rows, std::size_t row_count, std::size_t stride, std::size_t d,
                                T* const (&out)[Term::kSums]) {
  constexpr std::size_t kRows = rows_at_once<Arch, T, Term::kSums>();
  const auto store = [&](std::size_t row, const auto& sums, auto count) __attribute__((always_inline)) {
    unroll<decltype(count)::value>([&](auto r) __attribute__((always_inline)) {
      unroll<Term::kSums>([&](auto m) __attribute__((always_inline)) { out[m][row + r] = sums.value[r][m]; });
    });
  };
  // Rows that come from memory are faster one after the other, as the CPU's prefetcher expects them.
  const bool cached = row_count * stride * sizeof(*rows) <= kCachedBytes;
  const std::size_t together = cached ? row_count / kRows * kRows : 0;
  std::size_t row = 0;
  for (; row < together; row += kRows) {
    store(row, sum_rows<Arch, T, Term, kRows>(q, rows + row * stride, stride, d),
          std::integral_constant<std::size_t, kRows>{});
  }
  for (; row < row_count; ++row) {
    store(row, sum_rows<Arch, T, Term, 1>(q, rows + row * stride, stride, d),
          std::integral_constant<std::size_t, 1>{});
  }
}

/// The kernels that sum in T over a query of elements Q and rows of elements X. A kernel's own Arch is part
/// of its name, so that no two instruction sets can be taken for one another.
template <class Arch, class T, class Q, class X>
struct Sums {
  template <class Term>
  static T one(const Q* a, const X* b, std::size_t d) noexcept {
    return sum_rows<Arch, T, Term, 1>(a, b, 0, d).value[0][0];
  }

  static DotAndNorm dot_and_squared_norm(const Q* q, const X* x, std::size_t d) noexcept {
    if constexpr (kTwoSumsFit) {
      const auto sums = sum_rows<Arch, T, ProductAndSquare, 1>(q, x, 0, d);
      return {sums.value[0][0], sums.value[0][1]};
    } else {
      return {one<Product>(q, x, d), Sums<Arch, T, X, X>::template one<Square>(x, x, d)};
    }
  }

  template <class Term>
  static void all(const Q* q, const X* rows, std::size_t row_count, std::size_t stride, std::size_t d,
                  T* out) noexcept {
    sum_all_rows<Arch, T, Term>(q, rows, row_count, stride, d, {out});
  }

  static void all_dots_and_squared_norms(const Q* q, const X* rows, std::size_t row_count, std::size_t stride,
                                         std::size_t d, T* dots, T* squared_norms) noexcept {
    if constexpr (kTwoSumsFit) {
      sum_all_rows<Arch, T, ProductAndSquare>(q, rows, row_count, stride, d, {dots, squared_norms});
    } else {
      for (std::size_t row = 0; row < row_count; ++row) {
        const DotAndNorm sums = dot_and_squared_norm(q, rows + row * stride, d);
        dots[row] = sums.dot;
        squared_norms[row] = sums.squared_norm;
      }
    }
  }

 private:
  /// Where both sums do not fit the registers, two passes over a row in cache cost less than spilling.
  static constexpr bool kTwoSumsFit = kLanes<T> / xsimd::batch<T, Arch>::size * 2 <= kRegisters / 2;
};

template <class Arch>
struct Float32 {
  using Self = Sums<Arch, float, float, float>;

  static float squared_norm(const float* a, std::size_t d) noexcept {
    return Self::template one<Square>(a, a, d);
  }

  static void squared_norms(const float* rows, std::size_t row_count, std::size_t stride, std::size_t d,
                            float* out) noexcept {
    // The query is not read for squares; any d readable floats will do.
    sum_all_rows<Arch, float, Square>(rows, rows, row_count, stride, d, {out});
  }

  static void gemv(const float* m, const float* x, std::size_t k, std::size_t d, float* out) noexcept {
    Self::template all<Product>(x, m, k, d, d, out);
  }

  static std::size_t first_nonfinite(const float* a, std::size_t d) noexcept {
    using Batch = xsimd::batch<float, Arch>;
    constexpr std::size_t kStep = 4 * Batch::size;
    std::size_t i = 0;
    for (; d - i >= kStep; i += kStep) {
      Batch zero(0.0F);  // x - x is 0 for every finite x and NaN for the others
      unroll<4>([&](auto j) __attribute__((always_inline)) {
        const Batch x = load<Batch>(a + (i + j * Batch::size));
        zero = zero + (x - x);
      });
      if (!xsimd::all(zero == zero)) break;  // xsimd 8's != on AVX is false for NaN
    }
    for (; i < d; ++i) {
      std::uint32_t bits;
      std::memcpy(&bits, a + i, sizeof bits);
      if ((bits & 0x7F800000U) == 0x7F800000U) break;
    }
    return i;
  }
};

template <class Arch>
struct Float64 {
  static void gemv(const double* m, const double* x, std::size_t k, std::size_t d, double* out) noexcept {
    Sums<Arch, double, double, double>::template all<Product>(x, m, k, d, d, out);
  }
};

/// The kernels over Half, which is Float16 or BFloat16.
template <class Arch, class Half>
struct Halves {
  using Bits = HalfKernels::Bits;
  using Batch = xsimd::batch<float, Arch>;
  using Both = Sums<Arch, float, Half, Half>;
  using Query = Sums<Arch, float, float, Half>;

  ISOVEC_INLINE static const Half* in(const Bits* p) { return reinterpret_cast<const Half*>(p); }

  template <class Term>
  static float one(const Bits* a, const Bits* b, std::size_t d) noexcept {
    return Both::template one<Term>(in(a), in(b), d);
  }
  static float squared_norm(const Bits* a, std::size_t d) noexcept {
    return Both::template one<Square>(in(a), in(a), d);
  }
  static DotAndNorm dot_and_squared_norm(const Bits* q, const Bits* x, std::size_t d) noexcept {
    return Both::dot_and_squared_norm(in(q), in(x), d);
  }
  template <class Term>
  static float query(const float* q, const Bits* x, std::size_t d) noexcept {
    return Query::template one<Term>(q, in(x), d);
  }
  static DotAndNorm query_dot_and_squared_norm(const float* q, const Bits* x, std::size_t d) noexcept {
    return Query::dot_and_squared_norm(q, in(x), d);
  }

  static void to_float(const Bits* x, std::size_t d, float* out) noexcept {
    std::size_t i = 0;
    for (; d - i >= Batch::size; i += Batch::size) load<Batch>(in(x + i)).store_unaligned(out + i);
    if (i == d) return;
    float last[Batch::size];
    load_first<Batch>(in(x + i), d - i).store_unaligned(last);
    std::memcpy(out + i, last, (d - i) * sizeof(float));
  }

  static void from_float(const float* x, std::size_t d, Bits* out) noexcept {
    using Register = typename Batch::register_type;
    std::size_t i = 0;
    for (; d - i >= Batch::size; i += Batch::size) {
      store_half(out + i, narrow(Half{}, Register(load<Batch>(x + i))));
    }
    if (i == d) return;
    Bits last[Batch::size];
    store_half(last, narrow(Half{}, Register(load_first<Batch>(x + i, d - i))));
    std::memcpy(out + i, last, (d - i) * sizeof(Bits));
  }

  static constexpr HalfKernels kernels() {
    return {one<Product>,
            one<SquaredDifference>,
            one<AbsoluteDifference>,
            squared_norm,
            dot_and_squared_norm,
            query<Product>,
            query<SquaredDifference>,
            query<AbsoluteDifference>,
            query_dot_and_squared_norm,
            to_float,
            from_float};
  }
};

/// The table of one instruction set.
template <class Arch>
constexpr KernelTable make_table(const char* name) {
  using F32 = Sums<Arch, float, float, float>;
  using F64 = Sums<Arch, double, double, double>;
  using Mixed = Sums<Arch, double, double, float>;
  KernelTable table{};
  table.name = name;
  table.dot = F32::template one<Product>;
  table.squared_l2 = F32::template one<SquaredDifference>;
  table.l1 = F32::template one<AbsoluteDifference>;
  table.squared_norm = Float32<Arch>::squared_norm;
  table.dot_and_squared_norm = F32::dot_and_squared_norm;
  table.first_nonfinite = Float32<Arch>::first_nonfinite;
  table.dot_rows = F32::template all<Product>;
  table.dot_and_squared_norm_rows = F32::all_dots_and_squared_norms;
  table.squared_l2_rows = F32::template all<SquaredDifference>;
  table.l1_rows = F32::template all<AbsoluteDifference>;
  table.squared_norm_rows = Float32<Arch>::squared_norms;
  table.gemv = Float32<Arch>::gemv;
  table.dot_f64 = F64::template one<Product>;
  table.dot_f64_f32 = Mixed::template one<Product>;
  table.dot_f64_f32_rows = Mixed::template all<Product>;
  table.gemv_f64 = Float64<Arch>::gemv;
  table.float16 = Halves<Arch, Float16>::kernels();
  table.bfloat16 = Halves<Arch, BFloat16>::kernels();
  table.int8 = {Integers<Arch>::template one<IntegerProduct>,
                Integers<Arch>::template one<IntegerSquaredDifference>,
                Integers<Arch>::template one<IntegerAbsoluteDifference>, Integers<Arch>::squared_norm,
                Integers<Arch>::dot_and_squared_norm};
  table.bit = {Integers<Arch>::hamming, Integers<Arch>::set_bits};
  return table;
}

}  // namespace
}  // namespace isovec::core
