#pragma once

#include "surface/function.hpp"

namespace isovec::surface {

/// Taking, merging and reading statistics, and fitting transforms to them or to rows.
[[nodiscard]] std::span<const Function> statistics_functions() noexcept;

}  // namespace isovec::surface
