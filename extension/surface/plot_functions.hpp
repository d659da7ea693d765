#pragma once

#include "surface/function.hpp"

namespace isovec::surface {

/// Pictures from queries, as SVG text.
[[nodiscard]] std::span<const Function> plot_functions() noexcept;

}  // namespace isovec::surface
