#pragma once

#include "surface/function.hpp"

namespace isovec::surface {

/// The table isovec_info and the function isovec_check: what an isovec table holds, and whether it is sound.
[[nodiscard]] std::span<const Function> report_functions() noexcept;

}  // namespace isovec::surface
