#pragma once
// The element types of a vector, their names, sizes and SQL subtypes.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace isovec::codec {

/// What the elements of a vector are. The values are stored in tables: do not change them.
enum class ElementType : std::uint8_t { float32 = 1, float16 = 2, bfloat16 = 3, int8 = 4, bit = 5 };

/// The largest number of elements of a vector that is an SQL value.
inline constexpr std::size_t kMaximumDimension = 65'535;

/// As vec_type() prints it: "float32", "float16", "bfloat16", "int8" or "bit".
[[nodiscard]] constexpr std::string_view name_of(ElementType type) noexcept {
  switch (type) {
    case ElementType::float32:
      return "float32";
    case ElementType::float16:
      return "float16";
    case ElementType::bfloat16:
      return "bfloat16";
    case ElementType::int8:
      return "int8";
    case ElementType::bit:
      return "bit";
  }
  return "";
}

/// The SQL function that makes a vector of this type, for messages: "vec_f32".
[[nodiscard]] constexpr std::string_view constructor_of(ElementType type) noexcept {
  switch (type) {
    case ElementType::float32:
      return "vec_f32";
    case ElementType::float16:
      return "vec_f16";
    case ElementType::bfloat16:
      return "vec_bf16";
    case ElementType::int8:
      return "vec_int8";
    case ElementType::bit:
      return "vec_bit";
  }
  return "";
}

/// The SQL subtype that a vector of this type carries; 223 to 225 are sqlite-vec's.
[[nodiscard]] constexpr unsigned subtype_of(ElementType type) noexcept {
  switch (type) {
    case ElementType::float32:
      return 223;
    case ElementType::bit:
      return 224;
    case ElementType::int8:
      return 225;
    case ElementType::float16:
      return 226;
    case ElementType::bfloat16:
      return 227;
  }
  return 0;
}

/// The element type that a subtype stands for; a BLOB without one of ours is float32.
[[nodiscard]] constexpr ElementType type_of_subtype(unsigned subtype) noexcept {
  switch (subtype) {
    case 224:
      return ElementType::bit;
    case 225:
      return ElementType::int8;
    case 226:
      return ElementType::float16;
    case 227:
      return ElementType::bfloat16;
    default:
      return ElementType::float32;
  }
}

/// Bits of one element: 32, 16, 16, 8 or 1.
[[nodiscard]] constexpr std::size_t bits_of(ElementType type) noexcept {
  switch (type) {
    case ElementType::float32:
      return 32;
    case ElementType::float16:
    case ElementType::bfloat16:
      return 16;
    case ElementType::int8:
      return 8;
    case ElementType::bit:
      return 1;
  }
  return 32;
}

/// Bytes of a vector. Requires a dimension whose bits fit std::size_t, a multiple of 8 for bit vectors.
[[nodiscard]] constexpr std::size_t bytes_of(ElementType type, std::size_t dimension) noexcept {
  return dimension * bits_of(type) / 8;
}

/// Whether the elements are floating-point numbers.
[[nodiscard]] constexpr bool is_floating(ElementType type) noexcept {
  return type == ElementType::float32 || type == ElementType::float16 || type == ElementType::bfloat16;
}

}  // namespace isovec::codec
