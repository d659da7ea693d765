#pragma once
// Arguments that are transforms, statistics, or vectors on their way into a transform.

#include <isovec/buffer.hpp>
#include <isovec/statistics.hpp>
#include <isovec/transform.hpp>
#include <memory>
#include <span>

#include "surface/vector_argument.hpp"

namespace isovec::surface {

/// Argument `index` as a transform: decoded once a statement where it is a constant, else once as long as the
/// connection remembers it. Throws where it is no transform BLOB or is damaged.
[[nodiscard]] std::shared_ptr<const Transform> transform_argument(sqlite3_context* context,
                                                                  const Arguments& arguments,
                                                                  std::size_t index);

/// A value as a transform, decoded anew. Throws as above.
[[nodiscard]] Transform transform_value(db::Value value);

/// The bytes of a value that should be statistics. Throws where it is no BLOB.
[[nodiscard]] std::span<const std::byte> statistics_bytes(db::Value value);

/// A value as statistics. Throws where it is no statistics BLOB or is damaged.
[[nodiscard]] Statistics statistics_argument(db::Value value);

/// A vector of one value as aligned float32 numbers, all finite. Valid while it lives and the value does.
class FloatVector {
 public:
  explicit FloatVector(db::Value value);
  [[nodiscard]] std::span<const float> values() const noexcept { return values_; }
  /// Relative rounding of an element of its type; 0 for integers.
  [[nodiscard]] double rounding() const noexcept;

 private:
  DecodedVector decoded_;
  Buffer<float> copy_;
  std::span<const float> values_;
};

/// Throws unless `vector` has the dimension that the transform takes.
void require_input_of(const Transform& transform, std::span<const float> vector);

/// z of a vector argument under a transform. That of a constant stays with the statement.
class TransformedArgument {
 public:
  TransformedArgument(sqlite3_context* context, const Arguments& arguments, std::size_t index,
                      const std::shared_ptr<const Transform>& transform);
  [[nodiscard]] std::span<const float> values() const noexcept { return known_->z; }

 private:
  struct Kept {
    std::shared_ptr<const Transform> transform;
    Buffer<float> z;
  };
  std::shared_ptr<const Kept> known_;
};

/// A weight argument: absent is 1. Throws unless it is a finite number >= 0.
[[nodiscard]] double weight_argument(const Arguments& arguments, std::size_t index);

/// Makes a transform the function's result, as the BLOB that it is. Throws as require_room.
void set_transform(sqlite3_context* context, const Transform& transform);

}  // namespace isovec::surface
