#pragma once
// Fitting transforms: what to fit (Spec), from statistics (Fitter) or straight from rows (RowFitter).

#include <cstddef>
#include <cstdint>
#include <isovec/buffer.hpp>
#include <isovec/checkpoint.hpp>
#include <isovec/statistics.hpp>
#include <isovec/transform.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace isovec {

enum class Method : std::uint8_t { none, center, standardize, project_mean, remove_top, pca, whiten };
enum class Basis : std::uint8_t { zca, pca, cholesky, zca_cor, pca_cor };
enum class Shrinkage : std::uint8_t { none, fixed, oas, ledoit_wolf };

/// A transform to fit: a method and its keys. parse_spec makes only valid ones.
struct Spec {
  Method method = Method::none;
  Basis basis = Basis::zca;  ///< whiten
  std::size_t drop = 1;      ///< remove_top: leading components to remove
  std::size_t k = 0;         ///< pca, whiten: components to keep; 0 where not given
  double variance = 0;       ///< pca, whiten: share of variance to keep; 0 where not given
  double eps = 0;            ///< whiten: ridge in mean eigenvalues
  Shrinkage shrinkage = Shrinkage::none;
  double shrinkage_share = 0;  ///< rho under Shrinkage::fixed
  double power = 0.5;          ///< whiten: exponent of 1 / eigenvalue
  std::size_t slice = 0;       ///< leading coordinates to keep; 0 keeps all
  // What the statistics were taken with; where not given, whatever they were.
  std::optional<Normalize> normalize;
  std::optional<Weights> weights;
  std::optional<Precision> precision;

  friend bool operator==(const Spec&, const Spec&) = default;
};

/// A spec from text: a method, then key=value parted by spaces or commas. Throws Error that lists what
/// applies.
[[nodiscard]] Spec parse_spec(std::string_view text);
/// The canonical text of a spec; parse_spec reads it back.
[[nodiscard]] std::string to_text(const Spec& spec);
/// The options of the statistics that vec_fit takes for a spec: first moments where these are enough.
[[nodiscard]] StatisticsOptions required_statistics(const Spec& spec);

/// Fits any number of specs to one set of statistics; decompositions are made once and kept.
class Fitter {
 public:
  explicit Fitter(Statistics statistics);
  ~Fitter();
  Fitter(Fitter&&) noexcept;
  Fitter& operator=(Fitter&&) noexcept;

  /// Where `checkpoint` stops it, decompositions that are complete are kept.
  [[nodiscard]] Transform fit(const Spec& spec, const Checkpoint& checkpoint = {});
  [[nodiscard]] const Statistics& statistics() const noexcept;
  /// Eigendecompositions made so far.
  [[nodiscard]] std::size_t decompositions() const noexcept;
  /// Bytes of the statistics and of the decompositions that are kept.
  [[nodiscard]] std::size_t bytes() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Fitter(statistics).fit(spec).
[[nodiscard]] Transform fit(const Statistics& statistics, const Spec& spec,
                            const Checkpoint& checkpoint = {});

/// Fits one spec to rows as they come. Few rows in many dimensions are kept as they are, and their products
/// with one another decomposed (the Gram route): memory and time then follow the rows, not d^2.
class RowFitter {
 public:
  explicit RowFitter(Spec spec);

  /// Statistics::add. Where `checkpoint` stops it, the fitter is of no more use.
  void add(std::span<const float> row, double weight = 1.0, double rounding = kFloat32Rounding,
           const Checkpoint& checkpoint = {});
  /// Rows taken in.
  [[nodiscard]] std::uint64_t rows() const noexcept;
  /// The fitted transform. Call once, last.
  [[nodiscard]] Transform finish(const Checkpoint& checkpoint = {});

 private:
  void begin(std::size_t dimensions);
  void sum_kept_rows(std::uint64_t pending, const Checkpoint& checkpoint);

  Spec spec_;
  Statistics statistics_;  // of all rows, once they are summed
  Statistics profile_;     // first moments of the rows while they are kept
  bool started_ = false;
  bool keeps_rows_ = false;
  std::size_t most_kept_ = 0;
  Buffer<float> kept_rows_;
  Buffer<double> kept_weights_;
};

}  // namespace isovec
