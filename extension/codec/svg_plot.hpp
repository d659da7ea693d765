#pragma once
// Pictures as SVG text: histograms of cosines and spectra of eigenvalues. The same numbers give the same
// bytes.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace isovec::codec {

/// Counts of cosines in equal bins over [-1, 1].
struct CosineHistogram {
  std::string label;
  std::vector<std::uint64_t> counts;
};

/// Histograms of cosines over one another, each scaled to its own number of cosines. With `dimensions`, a
/// curve of what random directions in so many dimensions give. Requires histograms of equally many bins, at
/// least one.
[[nodiscard]] std::string plot_cosines(const std::vector<CosineHistogram>& histograms,
                                       std::optional<double> dimensions);

/// Positive numbers in descending order.
struct Spectrum {
  std::string label;
  std::vector<double> eigenvalues;
};

/// Eigenvalues against their rank, on a logarithmic scale, each spectrum a line. Values that are not positive
/// are left out, since a logarithm has no place for them.
[[nodiscard]] std::string plot_spectra(const std::vector<Spectrum>& spectra);

}  // namespace isovec::codec
