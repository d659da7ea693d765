#pragma once

#include "surface/function.hpp"

namespace isovec::surface {

/// Judging scores against what is known: vec_pearson, vec_spearman, vec_ndcg, vec_recall.
[[nodiscard]] std::span<const Function> judgement_functions() noexcept;

}  // namespace isovec::surface
