#pragma once

#include "surface/function.hpp"

namespace isovec::surface {

/// The isotropy report, and spectrum and components of a transform as tables.
[[nodiscard]] std::span<const Function> isotropy_functions() noexcept;

}  // namespace isovec::surface
