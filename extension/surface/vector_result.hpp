#pragma once
// A vector that an SQL function gives back, written where SQLite will keep it.

#include <span>

#include "codec/vector_type.hpp"
#include "db/memory.hpp"

namespace isovec::surface {

/// The bytes of a result. They may hold float32 and are aligned for them.
class VectorResult {
 public:
  /// Room for `dimension` elements, all 0: a function that fills only a part hands out nothing else. Throws
  /// where bits would not fill their bytes, and std::bad_alloc.
  VectorResult(codec::ElementType type, std::size_t dimension);
  [[nodiscard]] std::span<std::byte> bytes() noexcept { return {memory_.get(), size_}; }
  /// Requires a float32 result.
  [[nodiscard]] std::span<float> float32() noexcept {
    return {reinterpret_cast<float*>(memory_.get()), size_ / sizeof(float)};
  }
  /// Makes it the function's result, with its subtype.
  void set(sqlite3_context* context) && noexcept;

 private:
  codec::ElementType type_;
  std::size_t size_;
  db::SqliteBytes memory_;
};

/// Makes `values` the function's result as a vector of `type`, rounded to it. Throws as codec::from_float32.
void set_vector(sqlite3_context* context, std::span<const float> values, codec::ElementType type);

}  // namespace isovec::surface
