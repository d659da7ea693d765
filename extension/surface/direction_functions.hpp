#pragma once

#include "surface/function.hpp"

namespace isovec::surface {

/// How surprising a cosine is between random directions: vec_cosine_tail, vec_cosine_surprise,
/// vec_cosine_quantile.
[[nodiscard]] std::span<const Function> direction_functions() noexcept;

}  // namespace isovec::surface
