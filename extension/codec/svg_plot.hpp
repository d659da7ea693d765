#pragma once
// Pictures as SVG text: histograms of cosines and spectra of eigenvalues. The same numbers give the same
// bytes.

#include <cstddef>
#include <cstdint>
#include <isovec/buffer.hpp>
#include <isovec/checkpoint.hpp>
#include <optional>
#include <string>

namespace isovec::codec {

/// Counts of cosines in equal bins over [-1, 1].
struct CosineHistogram {
  std::string label;
  Buffer<std::uint64_t> counts;
};

/// Histograms of cosines over one another, each scaled to its own number of cosines. With `dimensions`, a
/// curve of what random directions in so many dimensions give. Requires histograms of equally many bins, at
/// least one.
[[nodiscard]] std::string plot_cosines(const Buffer<CosineHistogram>& histograms,
                                       std::optional<double> dimensions);

/// Positive numbers in descending order.
struct Spectrum {
  std::string label;
  Buffer<double> eigenvalues;
};

/// Eigenvalues against their rank, on a logarithmic scale, each spectrum a line. Values that are not positive
/// are left out, since a logarithm has no place for them, and of those that fall to one place across the
/// first and the last are drawn.
[[nodiscard]] std::string plot_spectra(const Buffer<Spectrum>& spectra, const Checkpoint& checkpoint = {});

}  // namespace isovec::codec
