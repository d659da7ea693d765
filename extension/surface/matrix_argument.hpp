#pragma once
// Numbers from outside in float64: a .npy BLOB, a vector, or JSON (also an array of arrays).

#include <cstddef>
#include <isovec/buffer.hpp>

#include "db/value.hpp"

namespace isovec::surface {

/// Numbers, row-major. A plain vector is one row.
struct Matrix {
  std::size_t rows = 0;
  std::size_t columns = 0;
  Buffer<double> values;
};

/// Reads a .npy BLOB (float16, float32, float64; one or two axes), a vector BLOB, or JSON whose numbers are
/// read as float32. Throws where it is none of these, its rows differ in length, or it would take
/// more bytes than a value of the connection may have.
[[nodiscard]] Matrix matrix_argument(sqlite3_context* context, db::Value value);

}  // namespace isovec::surface
