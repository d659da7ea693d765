#pragma once

#include "surface/function.hpp"

namespace isovec::surface {

/// Measures over all pairs of rows: vec_uniformity, vec_info_nce, vec_cosine_histogram and the table
/// vec_histogram that reads its report.
[[nodiscard]] std::span<const Function> pair_functions() noexcept;

}  // namespace isovec::surface
