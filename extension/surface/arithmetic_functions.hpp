#pragma once

#include "surface/function.hpp"

namespace isovec::surface {

/// Vectors from vectors: vec_add, vec_sub, vec_mul, vec_scale, vec_normalize, vec_norm, vec_cosine_gradient,
/// vec_quantize_binary, vec_quantize_int8.
[[nodiscard]] std::span<const Function> arithmetic_functions() noexcept;

}  // namespace isovec::surface
