#pragma once
// An SQL value read as a vector for a table's column: the query of a MATCH, or a value to store.

#include <isovec/buffer.hpp>
#include <span>
#include <string>

#include "codec/vector_blob.hpp"
#include "db/value.hpp"
#include "storage/shape.hpp"

namespace isovec::surface {

class ColumnVector {
 public:
  /// Reads a BLOB of the column's element type (its subtype may be lost, but may not be another's); for
  /// float16 and bfloat16 also one of float32, which its subtype or its size tells, rounded; or a JSON array
  /// of numbers, rounded to that type (int8 and bit are never rounded to). Throws Error where it is neither,
  /// has another dimension, or has an element that is not finite; the message starts with the column's name.
  ColumnVector(db::Value value, const storage::VectorColumn& column);
  /// The elements in the column's type; valid while this lives and the SQL value does.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return owned_.empty() ? bytes_ : owned_; }
  /// The elements as float32, a set bit as 1.
  [[nodiscard]] Buffer<float> float32() const;

 private:
  void read(db::Value value);
  void read_blob(db::Value value);
  void read_float32();
  void read_json(db::Value value);
  [[nodiscard]] std::string expected() const;
  [[noreturn]] void refuse_type(codec::ElementType type) const;
  [[nodiscard]] std::string likely_cause(const codec::VectorView& given) const;
  [[noreturn]] void refuse_dimension(std::size_t dimension, const std::string& cause = {}) const;

  const storage::VectorColumn& column_;
  std::span<const std::byte> bytes_;
  Buffer<std::byte> owned_;
};

}  // namespace isovec::surface
