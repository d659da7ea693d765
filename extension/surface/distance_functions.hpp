#pragma once

#include "surface/function.hpp"

namespace isovec::surface {

/// Two vectors in, one number out: vec_dot, vec_cosine, vec_angle, vec_distance_cosine, vec_distance_l2,
/// vec_distance_l1, vec_distance_hamming.
[[nodiscard]] std::span<const Function> distance_functions() noexcept;

}  // namespace isovec::surface
