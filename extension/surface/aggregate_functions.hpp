#pragma once

#include "surface/function.hpp"

namespace isovec::surface {

/// Sums over rows, all of them also over windows: vec_sum, vec_mean, vec_avg, vec_logsumexp, vec_alignment.
[[nodiscard]] std::span<const Function> aggregate_functions() noexcept;

}  // namespace isovec::surface
