#pragma once

#include "surface/function.hpp"

namespace isovec::surface {

/// Similarities and distances after a transform on both sides.
[[nodiscard]] std::span<const Function> transformed_distance_functions() noexcept;

}  // namespace isovec::surface
