#pragma once
// A transform maps a vector x to z = W (x - mean): centering, projection, rotation or whitening, fitted from
// data (fit.hpp) or brought from outside. It is immutable.

#include <cstddef>
#include <cstdint>
#include <isovec/buffer.hpp>
#include <isovec/checkpoint.hpp>
#include <isovec/statistics.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace isovec {

/// Whether a row is divided by its norm before the linear map, after it, or both.
enum class Normalize : std::uint8_t { none, before, after, both };
[[nodiscard]] constexpr bool before(Normalize n) noexcept {
  return n == Normalize::before || n == Normalize::both;
}
[[nodiscard]] constexpr bool after(Normalize n) noexcept {
  return n == Normalize::after || n == Normalize::both;
}

/// The shape of W, for c columns and k outputs.
enum class Linear : std::uint8_t {
  identity,    ///< W = I; no numbers
  diagonal,    ///< W = diag(s); c numbers
  projection,  ///< W = I - E^T E; E is m x c with orthonormal rows; m c numbers
  dense,       ///< W itself, k x c
  symmetric,   ///< W itself, c x c and symmetric
};

/// What a fit found out.
struct FitSummary {
  std::uint64_t rows = 0;
  double weight = 0;
  double effective_rows = 0;  ///< n_eff
  std::size_t rank = 0;       ///< Eigenvalues above rank_threshold.
  std::size_t kept = 0;       ///< Directions that W keeps.
  std::size_t dropped = 0;    ///< Directions that W maps to zero.
  std::size_t dead = 0;       ///< Coordinates without variance.
  double rank_threshold = 0;
  double shrinkage = 0;  ///< rho of oas, lw or a number
  double ridge = 0;      ///< What eps or shrinkage added to each eigenvalue (relative to the scaled ones)
  double condition = 0;  ///< Largest over smallest kept eigenvalue, before any ridge.
  double explained = 0;  ///< Share of the variance in the kept directions.
  Buffer<std::string> warnings;
};

/// Everything a transform consists of.
struct TransformParts {
  std::string spec;                  ///< The spec it was fitted by, canonical; "custom" where made otherwise.
  std::size_t input_dimensions = 0;  ///< d
  std::size_t columns = 0;           ///< c: the leading coordinates that are read; d without slice
  std::size_t output_dimensions = 0;  ///< k
  Normalize normalize = Normalize::none;
  Linear kind = Linear::identity;
  Buffer<double> mean;          ///< c, or empty where nothing is subtracted
  Buffer<double> linear;        ///< As `kind` says, row-major.
  Buffer<double> eigenvalues;   ///< c, raw, descending; empty where the method needs none
  Buffer<double> standardizer;  ///< c: 1/sigma of the -cor bases (0 for dead coordinates), else empty
  std::string not_invertible;   ///< Why x cannot be had back from z; empty where it can.
  FitSummary summary;
};

/// A query q prepared for scoring untransformed rows x:
/// <Wq', Wx'> = a.x - b with x' = x - mean (x / |x| - mean under normalize=before: there it is a.x / |x| -
/// b).
struct QueryForm {
  Buffer<double> a;  ///< d numbers: W^T W (q - query mean); 0 beyond slice
  double b = 0;      ///< a.mean
  double norm = 0;   ///< |W (q - query mean)|
};

/// An immutable map from d to k dimensions; several threads may use it at once.
class Transform {
 public:
  /// Requires parts whose sizes agree and whose numbers are finite (checked: throws Error{invalid_argument}).
  explicit Transform(TransformParts parts);

  [[nodiscard]] const TransformParts& parts() const noexcept { return parts_; }
  [[nodiscard]] std::size_t input_dimensions() const noexcept { return parts_.input_dimensions; }
  [[nodiscard]] std::size_t output_dimensions() const noexcept { return parts_.output_dimensions; }
  [[nodiscard]] bool subtracts_mean() const noexcept { return !parts_.mean.empty(); }
  /// W equals its transpose, so that each side of a cosine may have its own.
  [[nodiscard]] bool symmetric() const noexcept { return parts_.kind != Linear::dense; }

  /// z in float32: the mean is subtracted in float64, the difference rounded once to float32, and W in
  /// float32 applied by the canonical sums, so the bits are the same on every CPU. x has input_dimensions(),
  /// z output_dimensions() numbers and does not overlap x. Throws Error where x is zero under
  /// normalize=before.
  void apply(std::span<const float> x, std::span<float> z) const;
  /// z in float64 by fixed-order sums: for cosines and distances under a transform.
  void apply(std::span<const float> x, std::span<double> z) const;

  /// |z_a - z_b|, taken from W (a - b) in float32 as apply() takes z from W (x - mean), so that it keeps its
  /// digits where a and b are close; under normalize=after from z_a and z_b themselves. The same bits on
  /// every CPU and for (b, a). Throws Error as apply() does.
  [[nodiscard]] double distance_l2(std::span<const float> a, std::span<const float> b) const;

  /// x from z, to float32. Throws Error that says why where the map loses information. The first call makes
  /// the inverse of W, and asks `checkpoint` meanwhile.
  void inverse(std::span<const float> z, std::span<float> x, const Checkpoint& checkpoint = {}) const;

  /// A query in the form that scores untransformed rows; see QueryForm.
  [[nodiscard]] QueryForm query_form(std::span<const float> q) const;
  /// The same with the query centered on `query_mean` (d numbers). Throws Error where nothing is subtracted.
  [[nodiscard]] QueryForm query_form(std::span<const float> q, std::span<const float> query_mean) const;

  /// What normalize=before divides x by: its norm over the coordinates that are read, summed in float64 in
  /// ascending order. x has input_dimensions() numbers at no particular alignment.
  [[nodiscard]] double input_norm(const float* x) const noexcept;

  /// |W (x - mean)| in fixed-order float64: the same bits on every CPU. 0 for a zero x under
  /// normalize=before.
  [[nodiscard]] double row_norm(std::span<const float> x) const;
  /// row_norm of `out.size()` rows; row r starts at rows + r * stride. Equal to row_norm bit for bit, faster.
  void row_norms(const float* rows, std::size_t stride, std::span<double> out) const;
  /// W (x - mean) of `norms.size()` rows in fixed-order float64, n x k row-major, before any normalize=after,
  /// and its norm, which is row_norm. Both are 0 for a zero x under normalize=before.
  void row_images(const float* rows, std::size_t stride, std::span<double> images,
                  std::span<double> norms) const;

  /// mean as d numbers (zeros where nothing is subtracted and beyond slice).
  [[nodiscard]] Buffer<double> mean() const;
  /// W as k x d numbers, row-major (zeros beyond slice).
  [[nodiscard]] Buffer<double> matrix(const Checkpoint& checkpoint = {}) const;
  /// The same to where `out` begins, which has room for k x d numbers.
  void matrix(double* out, const Checkpoint& checkpoint) const;

 private:
  [[nodiscard]] bool center(std::span<const float> x, const Buffer<double>& mean, double* out) const;
  void map(const double* centered, double* z) const;
  void map_rows(const float* rows, std::size_t stride, std::span<double> scratch, double* images,
                std::span<double> norms) const;
  void map_to_float32(const Buffer<double>& centered, std::span<float> z) const;
  [[nodiscard]] QueryForm form_around(std::span<const float> q, const Buffer<double>& mean) const;
  [[nodiscard]] const Buffer<double>& inverse_matrix(const Checkpoint& checkpoint) const;

  TransformParts parts_;
  Buffer<float> linear_f32_;
  struct Inverse;                     // made by the first inverse()
  std::shared_ptr<Inverse> inverse_;  // of copies the same: all have these parts
};

/// One line of a spectrum.
struct SpectrumLine {
  double eigenvalue = 0;
  double share = 0;  ///< of the sum
  double cumulative = 0;
};
/// Eigenvalues, descending, with their shares. Throws Error where T has none.
[[nodiscard]] Buffer<SpectrumLine> spectrum(const Transform& transform);
[[nodiscard]] Buffer<SpectrumLine> spectrum(const Statistics& statistics, const Checkpoint& checkpoint = {});

/// One direction that a transform scales (or, for remove_top and project_mean, removes: scale 0).
struct Component {
  double eigenvalue = 0;
  double scale = 0;
  Buffer<double> direction;  ///< c numbers of norm 1
};
/// The components of T in descending order of eigenvalue. Throws Error where T has none.
[[nodiscard]] Buffer<Component> components(const Transform& transform, const Checkpoint& checkpoint = {});

/// The same map around another mean (d numbers). Throws Error where T subtracts no mean.
[[nodiscard]] Transform recenter(const Transform& transform, std::span<const double> mean);

/// `outer` after `inner`, as a diagonal or a projection where it is one. Throws Error where dimensions do not
/// meet or a normalization stands between them. Its spec names both, in full up to 1,000 bytes.
[[nodiscard]] Transform compose(const Transform& outer, const Transform& inner,
                                const Checkpoint& checkpoint = {});

/// How many float64 numbers the linear part of compose(outer, inner) has.
[[nodiscard]] std::size_t composed_numbers(const Transform& outer, const Transform& inner);

/// A transform from outside: z = W (x - mean), W k x d row-major; an empty mean subtracts nothing. `options`
/// is text: normalize=none|before|after|both. k = W.size() / d with d = columns.
[[nodiscard]] Transform make_transform(std::span<const double> mean, std::span<const double> matrix,
                                       std::size_t columns, std::string_view options = {},
                                       const Checkpoint& checkpoint = {});

/// W parts are the same numbers (so both sides of a cosine may use their own mean).
[[nodiscard]] bool same_linear_part(const Transform& a, const Transform& b) noexcept;

/// How far rows have moved from those a transform was fitted to.
struct Drift {
  double mean_shift = 0;  ///< |W (mean' - mean)| / sqrt(k): in fitted standard deviations when W whitens
  double worst_coordinate = 0;     ///< largest |component| of W (mean' - mean)
  double participation_ratio = 0;  ///< of W S' W^T
  double condition = 0;            ///< of W S' W^T, over eigenvalues above rounding
  double mean_variance = 0;        ///< trace / k of W S' W^T
  std::uint64_t rows = 0;
  Buffer<std::string> findings;
};
/// Throws Error where T normalizes otherwise than the statistics, or dimensions differ.
[[nodiscard]] Drift drift(const Transform& transform, const Statistics& statistics,
                          const Checkpoint& checkpoint = {});

/// A transform as a BLOB: versioned, hashed, little-endian, W in float64.
[[nodiscard]] Buffer<std::byte> to_blob(const Transform& transform);
/// A transform from a BLOB. Throws Error where the bytes are no transform or are damaged.
[[nodiscard]] Transform transform_from_blob(std::span<const std::byte> blob);
/// JSON objects that describe a transform and a drift.
[[nodiscard]] std::string to_json(const Transform& transform);
[[nodiscard]] std::string to_json(const Drift& drift);

}  // namespace isovec
