#include "surface/column_vector.hpp"

#include <string>

#include "codec/vector_convert.hpp"
#include "codec/vector_json.hpp"

namespace isovec::surface {

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
  throw Error(Code::invalid_argument, "expected a vector of " + std::to_string(column_.dimension) + " " +
                                          std::string(name_of(column_.type)) +
                                          " numbers as a BLOB or a JSON array, got " + value.type_name());
}

void ColumnVector::refuse_dimension(std::size_t dimension, const std::string& cause) const {
  throw Error(Code::invalid_argument, "dimensions differ: the column has " +
                                          std::to_string(column_.dimension) + " and the vector has " +
                                          std::to_string(dimension) + cause);
}

void ColumnVector::read_blob(db::Value value) {
  bytes_ = value.blob();
  const codec::ElementType type = codec::type_of_subtype(value.subtype());
  const bool typed = value.subtype() == codec::subtype_of(type);
  if (typed && type != column_.type) {
    throw Error(Code::invalid_argument, "types differ: the column has " + std::string(name_of(column_.type)) +
                                            " and the vector has " + std::string(name_of(type)));
  }
  if (bytes_.size() == column_.bytes()) return;
  const std::size_t element = codec::bits_of(column_.type) / 8;
  if (bytes_.empty() || bytes_.size() % element != 0) {
    throw Error(Code::invalid_argument, "a " + std::string(name_of(column_.type)) + " vector of " +
                                            std::to_string(column_.dimension) + " dimensions has " +
                                            std::to_string(column_.bytes()) + " bytes, got " +
                                            std::to_string(bytes_.size()));
  }
  const codec::VectorView given{column_.type, bytes_.size() / element, bytes_.data()};
  const std::string cause =
      typed ? "" : codec::likely_cause(given, {column_.type, column_.dimension, nullptr});
  refuse_dimension(given.dimension, cause);
}

void ColumnVector::read_json(db::Value value) {
  const std::vector<float> floats = codec::parse_vector_json(value.text());
  if (floats.size() != column_.dimension) refuse_dimension(floats.size());
  owned_.resize(column_.bytes());
  codec::from_float32(floats, column_.type, owned_);
}

std::vector<float> ColumnVector::float32() const {
  std::vector<float> floats(column_.dimension);
  codec::to_float32({column_.type, column_.dimension, bytes().data()}, floats);
  return floats;
}

}  // namespace isovec::surface
