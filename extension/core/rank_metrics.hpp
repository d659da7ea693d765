#pragma once
// Judging a ranking: correlations and retrieval scores of whole columns of finite numbers of any size.

#include <cstddef>
#include <isovec/buffer.hpp>
#include <isovec/checkpoint.hpp>
#include <span>

namespace isovec::core {

/// Ranks from 1, ties sharing the mean of their ranks. Requires no NaN.
[[nodiscard]] Buffer<double> mid_ranks(std::span<const double> values, const Checkpoint& checkpoint = {});

/// Pearson's correlation of two columns of equal length; NaN where one is constant or shorter than 2.
[[nodiscard]] double pearson(std::span<const double> x, std::span<const double> y,
                             const Checkpoint& checkpoint = {});

/// Spearman's rank correlation (of mid-ranks); NaN as for pearson.
[[nodiscard]] double spearman(std::span<const double> x, std::span<const double> y,
                              const Checkpoint& checkpoint = {});

/// Normalized discounted cumulative gain of the k best scores: sum of gain / log2(rank + 1) over the best
/// attainable. Tied scores share the mean gain of their group, so the order of rows does not matter. NaN
/// where no gain is positive. Requires gains >= 0.
[[nodiscard]] double ndcg(std::span<const double> scores, std::span<const double> gains, std::size_t k,
                          const Checkpoint& checkpoint = {});

/// Share of the relevant rows (relevant[i] > 0) that are among the k best scores; a tie at the k-th place
/// counts in expectation. NaN where none is relevant.
[[nodiscard]] double recall(std::span<const double> scores, std::span<const double> relevant, std::size_t k,
                            const Checkpoint& checkpoint = {});

}  // namespace isovec::core
