#pragma once

#include "surface/function.hpp"

namespace isovec::surface {

/// vec_version, vec_debug, vec_backend and the table vec_help.
[[nodiscard]] std::span<const Function> about_functions() noexcept;

}  // namespace isovec::surface
