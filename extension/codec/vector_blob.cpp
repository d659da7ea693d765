#include "codec/vector_blob.hpp"

#include <cmath>
#include <cstring>

#include "codec/vector_convert.hpp"
#include "core/kernels.hpp"

namespace isovec::codec {

namespace {

constexpr std::uint16_t kFloat16Exponent = 0x7C00;
constexpr std::uint16_t kBfloat16Exponent = 0x7F80;

template <typename T>
T load(const std::byte* data, std::size_t index) noexcept {
  T value;
  std::memcpy(&value, data + index * sizeof(T), sizeof(T));
  return value;
}

std::string text_of(std::size_t number) {
  return std::to_string(number);
}

std::string nonfinite_name(float value) {
  if (std::isnan(value)) return "NaN";
  return value > 0 ? "infinity" : "-infinity";
}

}  // namespace

std::string likely_cause(const VectorView& vector, const VectorView& other) {
  if (vector.type != ElementType::float32 || other.type != ElementType::float32) return "";
  const std::string bytes = "; a BLOB of " + text_of(vector.size()) + " bytes is also ";
  if (vector.size() == other.dimension * sizeof(double)) {
    return bytes + text_of(other.dimension) + " float64 numbers: pass them as float32";
  }
  if (vector.size() == bytes_of(ElementType::float16, other.dimension)) {
    return bytes + text_of(other.dimension) +
           " float16 or bfloat16 numbers: wrap it in vec_f16() or vec_bf16()";
  }
  if (vector.size() == bytes_of(ElementType::int8, other.dimension)) {
    return bytes + text_of(other.dimension) + " int8 numbers: wrap it in vec_int8()";
  }
  return "";
}

void throw_no_vector(std::size_t size, ElementType type) {
  if (size == 0) throw Error(Code::invalid_argument, "the BLOB is empty: a vector has at least one element");
  const std::size_t bits = bits_of(type);
  if (bits > 8 && size % (bits / 8) != 0) {
    throw Error(Code::invalid_argument, "a BLOB of " + text_of(size) + " bytes is no vector of " +
                                            std::string(name_of(type)) + ", which takes " +
                                            text_of(bits / 8) + " bytes an element");
  }
  const std::size_t dimension = bits > 8 ? size / (bits / 8) : size * (8 / bits);
  throw Error(Code::too_big, "a vector of " + text_of(dimension) + " elements (" +
                                 std::string(name_of(type)) + ", " + text_of(size) +
                                 " bytes) is above the limit of " + text_of(kMaximumDimension));
}

std::size_t first_nonfinite(const VectorView& vector) noexcept {
  if (vector.type == ElementType::float32) {
    return core::kernels().first_nonfinite(vector.float32(), vector.dimension);
  }
  if (!is_floating(vector.type)) return vector.dimension;
  const std::uint16_t exponent = vector.type == ElementType::float16 ? kFloat16Exponent : kBfloat16Exponent;
  for (std::size_t i = 0; i < vector.dimension; ++i) {
    if ((load<std::uint16_t>(vector.data, i) & exponent) == exponent) return i;
  }
  return vector.dimension;
}

void require_finite(const VectorView& vector) {
  const std::size_t index = first_nonfinite(vector);
  if (index == vector.dimension) return;
  std::string message = "element " + text_of(index) + " is " + nonfinite_name(element(vector, index)) +
                        ": a vector holds finite numbers only";
  if (vector.type == ElementType::float32 && vector.dimension % 2 == 0) {
    message += " (are the bytes " + text_of(vector.dimension / 2) + " float64 numbers? pass float32)";
  }
  throw Error(Code::invalid_argument, message);
}

float element(const VectorView& vector, std::size_t index) noexcept {
  const core::KernelTable& kernels = core::kernels();
  float value = 0;
  switch (vector.type) {
    case ElementType::float32:
      return load<float>(vector.data, index);
    case ElementType::float16:
      kernels.float16.to_float(vector.half() + index, 1, &value);
      return value;
    case ElementType::bfloat16:
      kernels.bfloat16.to_float(vector.half() + index, 1, &value);
      return value;
    case ElementType::int8:
      return load<std::int8_t>(vector.data, index);
    case ElementType::bit:
      return static_cast<float>((load<std::uint8_t>(vector.data, index / 8) >> (index % 8)) & 1);
  }
  return value;
}

void throw_shapes_differ(const VectorView& a, const VectorView& b) {
  if (a.type != b.type) {
    const VectorView& other = a.type == ElementType::float32 ? b : a;
    throw Error(Code::invalid_argument, "types differ: " + std::string(name_of(a.type)) + " and " +
                                            std::string(name_of(b.type)) +
                                            "; give both as one type, for example with " +
                                            std::string(constructor_of(other.type)) + "()");
  }
  std::string cause = likely_cause(a, b);
  if (cause.empty()) cause = likely_cause(b, a);
  throw Error(Code::invalid_argument,
              "dimensions differ: " + text_of(a.dimension) + " and " + text_of(b.dimension) + cause);
}

}  // namespace isovec::codec
