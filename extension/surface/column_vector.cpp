#include "surface/column_vector.hpp"

#include <string>

#include "codec/vector_convert.hpp"
#include "codec/vector_json.hpp"

namespace isovec::surface {
namespace {

using codec::ElementType;

// What makes a vector of this type of another, for messages.
std::string constructors_of(ElementType type) {
  const std::string exact = std::string(codec::constructor_of(type)) + "()";
  if (type == ElementType::int8) return exact + ", or of fractions in vec_quantize_int8(v, 'unit')";
  if (type == ElementType::bit) return exact + ", or of other numbers in vec_quantize_binary()";
  return exact;
}

}  // namespace

ColumnVector::ColumnVector(db::Value value, const storage::VectorColumn& column) : column_(column) {
  try {
    read(value);
    codec::require_finite({column.type, column.dimension, bytes().data()});
  } catch (const Error& error) {
    throw Error(error.code(), "column " + column.name + ": " + error.what());
  }
}

void ColumnVector::read(db::Value value) {
  if (value.is_blob()) return read_blob(value);
  if (value.is_text()) return read_json(value);
  throw Error(Code::invalid_argument,
              "expected " + expected() + " as a BLOB or a JSON array, got " + value.type_name());
}

// "a vector of 768 float32 numbers"
std::string ColumnVector::expected() const {
  const bool bits = column_.type == ElementType::bit;
  return "a vector of " + std::to_string(column_.dimension) + " " +
         (bits ? "bits" : std::string(name_of(column_.type)) + " numbers");
}

void ColumnVector::refuse_dimension(std::size_t dimension, const std::string& cause) const {
  throw Error(Code::invalid_argument, "dimensions differ: the column has " +
                                          std::to_string(column_.dimension) + " and the vector has " +
                                          std::to_string(dimension) + cause);
}

void ColumnVector::refuse_type(ElementType type) const {
  throw Error(Code::invalid_argument, "types differ: the column has " + std::string(name_of(column_.type)) +
                                          " and the vector has " + std::string(name_of(type)) +
                                          ": wrap the vector in " + constructors_of(column_.type));
}

// What an untyped BLOB of another size may have been meant to be.
std::string ColumnVector::likely_cause(const codec::VectorView& given) const {
  if (codec::is_floating(column_.type)) {
    return codec::likely_cause(given, {column_.type, column_.dimension, nullptr});
  }
  if (given.size() != column_.dimension * sizeof(float)) return "";
  return "; a BLOB of " + std::to_string(given.size()) + " bytes is also " +
         std::to_string(column_.dimension) + " float32 numbers: wrap it in " + constructors_of(column_.type);
}

void ColumnVector::read_blob(db::Value value) {
  bytes_ = value.blob();
  const ElementType type = codec::type_of_subtype(value.subtype());
  const bool typed = value.subtype() == codec::subtype_of(type);
  const bool half = column_.type == ElementType::float16 || column_.type == ElementType::bfloat16;
  const bool wide = typed ? type == ElementType::float32 : bytes_.size() == column_.dimension * sizeof(float);
  if (half && wide) return read_float32();
  if (typed && type != column_.type) refuse_type(type);
  if (bytes_.size() == column_.bytes()) return;
  const std::size_t bits = codec::bits_of(column_.type);
  if (bytes_.empty() || bytes_.size() * 8 % bits != 0) {
    throw Error(Code::invalid_argument, expected() + " has " + std::to_string(column_.bytes()) +
                                            " bytes, got " + std::to_string(bytes_.size()));
  }
  const codec::VectorView given{column_.type, bytes_.size() * 8 / bits, bytes_.data()};
  refuse_dimension(given.dimension, typed ? "" : likely_cause(given));
}

// Rounds the float32 numbers in bytes_.
void ColumnVector::read_float32() {
  const codec::VectorView given = codec::view_vector(bytes_, ElementType::float32);
  if (given.dimension != column_.dimension) refuse_dimension(given.dimension);
  codec::require_finite(given);
  Buffer<float> floats(given.dimension);
  codec::to_float32(given, floats);
  owned_.resize(column_.bytes());
  codec::from_float32(floats, column_.type, owned_);
}

void ColumnVector::read_json(db::Value value) {
  const Buffer<float> floats = codec::parse_vector_json(value.text(), column_.type);
  if (floats.size() != column_.dimension) refuse_dimension(floats.size());
  owned_.resize(column_.bytes());
  codec::from_float32(floats, column_.type, owned_);
}

Buffer<float> ColumnVector::float32() const {
  Buffer<float> floats(column_.dimension);
  codec::to_float32({column_.type, column_.dimension, bytes().data()}, floats);
  return floats;
}

}  // namespace isovec::surface
