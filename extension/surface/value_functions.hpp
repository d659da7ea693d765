#pragma once

#include "surface/function.hpp"

namespace isovec::surface {

/// Making vectors and taking them apart: vec_f32 and its kin, vec_to_json, vec_length, vec_type, vec_at,
/// vec_slice, vec_concat, vec_zeros, vec_random and the table vec_each.
[[nodiscard]] std::span<const Function> value_functions() noexcept;

}  // namespace isovec::surface
