#pragma once

#include "surface/function.hpp"

namespace isovec::surface {

/// Applying transforms, taking them apart, making and joining them.
[[nodiscard]] std::span<const Function> transform_functions() noexcept;

}  // namespace isovec::surface
