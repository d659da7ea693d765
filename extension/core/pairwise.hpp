#pragma once
// Measures over all pairs of rows. They visit blocks of cosines and keep no more than one block and a few
// numbers a row; between blocks they call `checkpoint`, which may throw to stop them. Cosines are float32
// sums, so results are good to about 1e-6 relative.

#include <cstddef>
#include <cstdint>
#include <isovec/buffer.hpp>
#include <isovec/checkpoint.hpp>

#include "core/unit_rows.hpp"

namespace isovec::core {

/// log of the mean over i < j of exp(-t |u_i - u_j|^2): how far from uniform on the sphere (T. Wang and P.
/// Isola, "Understanding Contrastive Representation Learning through Alignment and Uniformity on the
/// Hypersphere", 2020). Requires at least two rows and t > 0.
[[nodiscard]] double uniformity(const UnitRows& rows, double t, const Checkpoint& checkpoint);

struct InfoNceOptions {
  double temperature = 0;
  bool symmetric = false;        ///< also each positive among the queries; the mean of both
  bool mask_duplicates = false;  ///< pairs that share a query or a positive are no negatives of each other
};

/// The mean over rows i of -log(exp(s_ii) / sum over j of exp(s_ij)) for s_ij = cos(query_i, positive_j) /
/// temperature, with natural logarithms (A. van den Oord et al., "Representation Learning with Contrastive
/// Predictive Coding", 2018). Requires as many queries as positives, at least one, and temperature > 0.
[[nodiscard]] double info_nce(const UnitRows& queries, const UnitRows& positives,
                              const InfoNceOptions& options, const Checkpoint& checkpoint);

/// How many of the cosines of pairs i < j lie in each of `bins` equal parts of [-1, 1]; the last holds 1.
[[nodiscard]] Buffer<std::uint64_t> cosine_histogram(const UnitRows& rows, std::size_t bins,
                                                     const Checkpoint& checkpoint);

}  // namespace isovec::core
