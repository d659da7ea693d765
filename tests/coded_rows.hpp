#pragma once
// Sets of vectors that are hard on bounds, the same rows as blocks of codes and as raw rows, and the
// distances that a search has to give back.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <isovec/buffer.hpp>
#include <limits>
#include <random>
#include <string>

#include "codec/coarse_codes.hpp"
#include "codec/code_block.hpp"
#include "codec/code_encoder.hpp"
#include "core/floating_point.hpp"
#include "core/similarity.hpp"
#include "index/block_bounds.hpp"
#include "index/query_code.hpp"

namespace isovec::test {

/// n x d rows and a few queries.
struct VectorSet {
  std::string name;
  std::size_t d = 0;
  isovec::Buffer<float> rows;
  isovec::Buffer<isovec::Buffer<float>> queries;

  [[nodiscard]] std::size_t size() const { return rows.size() / d; }
  [[nodiscard]] std::span<const float> row(std::size_t r) const { return {rows.data() + r * d, d}; }
};

enum class Kind {
  ordinary,
  clustered,
  offset,           // far from the origin, close to each other
  near_duplicates,  // rows that differ in a last bit or two
  all_equal,
  rogue_coordinates,  // three coordinates a thousand times the others
  one_hot,
  constant,  // multiples of (1, 1, ..., 1)
  huge,
  tiny,
  denormal,
  mixed_norms,  // 1e-38 ... 1e38 beside each other, and zeros
  one_giant     // one row 1e6 times the others
};

inline const isovec::Buffer<Kind>& all_kinds() {
  static const isovec::Buffer<Kind> kinds = {Kind::ordinary,  Kind::clustered,
                                             Kind::offset,    Kind::near_duplicates,
                                             Kind::all_equal, Kind::rogue_coordinates,
                                             Kind::one_hot,   Kind::constant,
                                             Kind::huge,      Kind::tiny,
                                             Kind::denormal,  Kind::mixed_norms,
                                             Kind::one_giant};
  return kinds;
}

/// A number in [-2, 2) that depends on i alone.
inline float shared_by(std::size_t i) {
  const std::uint64_t mixed = (i + 1) * 0x9E37'79B9'7F4A'7C15ULL;
  return static_cast<float>(mixed >> 40) * 0x1p-22F - 2;
}

inline float element(Kind kind, std::mt19937& random, std::size_t row, std::size_t i, std::size_t d) {
  std::normal_distribution<float> normal;
  const float x = normal(random);
  const float shared = shared_by(i);
  switch (kind) {
    case Kind::ordinary:
      return x;
    case Kind::clustered:
      return shared_by((row % 7) * 104'729 + i) + 0.2F * x;
    case Kind::offset:
      return 50 + shared + 0.01F * x;
    case Kind::near_duplicates:
      return shared * (1 + static_cast<float>(static_cast<int>(random() % 5) - 2) * 0x1p-23F);
    case Kind::all_equal:
      return shared;
    case Kind::rogue_coordinates:
      return i % (d / 3 + 1) == 1 ? 1000 * x : x;
    case Kind::one_hot:
      return i == row % d ? 1.0F + 0.01F * x : 0.0F;
    case Kind::constant:
      return static_cast<float>(row % 23) - 11;
    case Kind::huge:
      return x * 0x1p122F;
    case Kind::tiny:
      return x * 0x1p-100F;
    case Kind::denormal:
      return x * 0x1p-142F;
    case Kind::mixed_norms:
      return row % 29 == 3 ? 0.0F : std::ldexp(x, static_cast<int>(row * 37 % 250) - 126);
    case Kind::one_giant:
      return row == 5 ? 1e6F * x : x;
  }
  return x;
}

inline VectorSet make_set(Kind kind, std::size_t n, std::size_t d, std::uint32_t seed) {
  VectorSet set{"kind " + std::to_string(static_cast<int>(kind)) + ", d " + std::to_string(d), d, {}, {}};
  std::mt19937 random(seed);
  for (std::size_t r = 0; r < n; ++r) {
    for (std::size_t i = 0; i < d; ++i) set.rows.push_back(element(kind, random, r, i, d));
  }
  // A row of the set, a row's opposite, and strangers of the same and of another kind.
  const std::size_t some = n / 2;
  set.queries.emplace_back(set.row(some).begin(), set.row(some).end());
  set.queries.push_back(set.queries[0]);
  for (float& x : set.queries.back()) x = -x;
  for (const Kind other : {kind, Kind::ordinary}) {
    isovec::Buffer<float> stranger(d);
    for (std::size_t i = 0; i < d; ++i) stranger[i] = element(other, random, n + 1, i, d);
    set.queries.push_back(stranger);
  }
  return set;
}

/// The distance that an untransformed row has, NaN where it has none.
inline double exact_distance(index::Metric metric, std::span<const float> q, std::span<const float> x) {
  const core::FloatingPointScope scope;
  switch (metric) {
    case index::Metric::cosine:
      return core::distance_cosine(q, x).value_or(std::numeric_limits<double>::quiet_NaN());
    case index::Metric::l2:
      return core::distance_l2(q, x);
    case index::Metric::dot:
      return core::distance_dot(q, x);
    case index::Metric::l1:
      return core::l1(q, x);
    case index::Metric::hamming:
    case index::Metric::jaccard:
      break;
  }
  return 0;
}

inline bool is_zero(std::span<const float> x) {
  return std::all_of(x.begin(), x.end(), [](float element) { return element == 0; });
}

/// The metric under which rows are coded.
inline codec::CodeMetric coded(index::Metric metric) {
  return static_cast<codec::CodeMetric>(metric);
}

/// Rows begin ... begin + count - 1 as a block; the slot of row r is r.
inline isovec::Buffer<std::byte> block_of(const VectorSet& set, index::Metric metric, std::size_t begin,
                                          std::size_t count, std::uint64_t seed = 0) {
  isovec::Buffer<std::int64_t> slots;
  for (std::size_t r = begin; r < begin + count; ++r) slots.push_back(static_cast<std::int64_t>(r));
  return codec::encode_block({coded(metric), set.d, slots, seed},
                             std::span(set.rows).subspan(begin * set.d, count * set.d));
}

/// A block as searches keep it in memory, of which nothing else is left.
class KeptBlock {
 public:
  explicit KeptBlock(const isovec::Buffer<std::byte>& bytes) {
    const auto block = codec::CodeBlockView::parse(bytes);
    size_ = codec::kept_bytes(block.shape());
    memory_.resize(size_ + codec::kKeptAlignment, std::byte{0x5A});
    codec::keep_block(block, {begin(), size_});
    has_none_ = !view().coarse();
    codec::add_coarse_codes({begin(), size_});
  }
  /// Whether there were no coarse codes before they were made.
  [[nodiscard]] bool had_none() const { return has_none_; }
  [[nodiscard]] codec::CodeBlockView view() const { return codec::recall_block({begin(), size_}); }

 private:
  [[nodiscard]] std::byte* begin() const {
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    return memory_.data() + (codec::kKeptAlignment - address % codec::kKeptAlignment) % codec::kKeptAlignment;
  }
  std::size_t size_ = 0;
  bool has_none_ = false;
  mutable isovec::Buffer<std::byte> memory_;
};

/// A whitening with condition number `condition` of its square, in plain loops: z = W (x - mean), scores from
/// untransformed rows.
struct Whitening {
  Whitening(std::size_t dimensions, double condition, std::uint32_t seed) : d(dimensions), w(d * d), mean(d) {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal;
    for (double& x : mean) x = 0.3 * normal(random);
    // Symmetric: H D H with a Householder reflection H = I - 2 v v^T.
    isovec::Buffer<double> v(d);
    double norm = 0;
    for (double& x : v) {
      x = normal(random);
      norm += x * x;
    }
    for (double& x : v) x /= std::sqrt(norm);
    const auto reflection = [&](std::size_t i, std::size_t j) {
      return (i == j ? 1.0 : 0.0) - 2 * v[i] * v[j];
    };
    for (std::size_t i = 0; i < d; ++i) {
      for (std::size_t j = 0; j < d; ++j) {
        for (std::size_t m = 0; m < d; ++m) {
          const double share = d == 1 ? 0 : static_cast<double>(m) / static_cast<double>(d - 1);
          w[i * d + j] += reflection(i, m) * std::pow(condition, share / 2) * reflection(m, j);
        }
      }
    }
  }

  [[nodiscard]] isovec::Buffer<double> apply(std::span<const float> x) const {
    isovec::Buffer<double> z(d);
    for (std::size_t i = 0; i < d; ++i) {
      for (std::size_t j = 0; j < d; ++j) z[i] += w[i * d + j] * (double{x[j]} - mean[j]);
    }
    return z;
  }
  /// W^T (W (q - mean)).
  [[nodiscard]] isovec::Buffer<double> form(std::span<const float> q) const {
    const isovec::Buffer<double> z = apply(q);
    isovec::Buffer<double> a(d);
    for (std::size_t i = 0; i < d; ++i) {
      for (std::size_t j = 0; j < d; ++j) a[j] += w[i * d + j] * z[i];
    }
    return a;
  }
  [[nodiscard]] double frobenius() const {
    double sum = 0;
    for (const double entry : w) sum += entry * entry;
    return std::sqrt(sum) * 1.000001;
  }
  [[nodiscard]] double reach(std::span<const float> x) const {
    double norm = 0;
    double mean_norm = 0;
    for (std::size_t i = 0; i < d; ++i) {
      norm += double{x[i]} * double{x[i]};
      mean_norm += mean[i] * mean[i];
    }
    return std::sqrt(norm) + std::sqrt(mean_norm);
  }
  [[nodiscard]] static double length(const isovec::Buffer<double>& z) {
    double sum = 0;
    for (const double x : z) sum += x * x;
    return std::sqrt(sum);
  }
  /// The score of an untransformed row, as a search under a transform takes it: a.x - a.mean and both norms.
  [[nodiscard]] auto distance_to(index::Metric metric, std::span<const float> q) const {
    return [this, metric, a = form(q), norm_q = length(apply(q))](std::span<const float> x) {
      double dot = 0;
      double b = 0;
      for (std::size_t i = 0; i < d; ++i) {
        dot += a[i] * double{x[i]};
        b += a[i] * mean[i];
      }
      dot -= b;
      if (metric == index::Metric::dot) return -dot;
      const double norm_x = length(apply(x));
      if (metric == index::Metric::l2) {
        return std::sqrt(std::max(0.0, norm_q * norm_q + norm_x * norm_x - 2 * dot));
      }
      return 1 - std::clamp(dot / (norm_q * norm_x), -1.0, 1.0);
    };
  }

  /// Rows begin ... as a block of transformed rows.
  [[nodiscard]] isovec::Buffer<std::byte> block_of(const VectorSet& set, index::Metric metric,
                                                   std::size_t begin, std::size_t count) const {
    isovec::Buffer<std::int64_t> slots;
    isovec::Buffer<double> z;
    isovec::Buffer<double> divisors;
    isovec::Buffer<double> reaches;
    for (std::size_t r = begin; r < begin + count; ++r) {
      slots.push_back(static_cast<std::int64_t>(r));
      const isovec::Buffer<double> image = apply(set.row(r));
      z.insert(z.end(), image.begin(), image.end());
      divisors.push_back(metric == index::Metric::cosine ? length(image) : 1);
      reaches.push_back(reach(set.row(r)));
    }
    return codec::encode_block({coded(metric), d, slots, 0}, codec::TransformedRows{z, divisors, reaches});
  }
  [[nodiscard]] index::QueryCode query(index::Metric metric, std::span<const float> q) const {
    const isovec::Buffer<double> z = apply(q);
    const double divisor = metric == index::Metric::cosine ? length(z) : 1;
    return index::QueryCode::transformed(metric, {z, divisor, reach(q), frobenius(), d});
  }

  std::size_t d;
  isovec::Buffer<double> w;
  isovec::Buffer<double> mean;
};

}  // namespace isovec::test
