#pragma once
// Scores of int8 and bit vectors, from their own kernels: sums are exact, and no element is widened.

#include "index/scorer.hpp"

namespace isovec::index {

/// Scores int8 rows by cosine, l2, dot or l1, and bit rows by hamming or jaccard. Requires a query without a
/// transform. Throws Error for any other metric, and where a cosine with the query is undefined.
[[nodiscard]] std::unique_ptr<Scorer> make_integer_scorer(Query query);

}  // namespace isovec::index
