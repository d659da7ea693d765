#pragma once

#include "surface/function.hpp"

namespace isovec::surface {

/// Rows of a .npy BLOB as a table, and a column of vectors as a .npy BLOB.
[[nodiscard]] std::span<const Function> npy_functions() noexcept;

}  // namespace isovec::surface
