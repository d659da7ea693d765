#include "surface/value_functions.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "codec/vector_convert.hpp"
#include "codec/vector_json.hpp"
#include "core/random_normal.hpp"
#include "surface/table_function.hpp"
#include "surface/vector_argument.hpp"
#include "surface/vector_result.hpp"

namespace isovec::surface {

namespace {

using codec::ElementType;

constexpr unsigned kJsonSubtype = 'J';  // as SQLite's own JSON functions mark their results
constexpr auto kMost = static_cast<std::int64_t>(codec::kMaximumDimension);

// SQLite copies the bytes into memory that it has already: cheaper than an allocation for each row.
void set_copy(sqlite3_context* context, const codec::VectorView& view) {
  sqlite3_result_blob64(context, view.data, view.size(), SQLITE_TRANSIENT);
  sqlite3_result_subtype(context, codec::subtype_of(view.type));
}

// Whether the subtype is one of a vector's: then the BLOB's type is known and not the function's to choose.
bool has_vector_subtype(db::Value value) noexcept {
  const unsigned subtype = value.subtype();
  return subtype != 0 && subtype == codec::subtype_of(codec::type_of_subtype(subtype));
}

template <ElementType Type>
void make(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const db::Value value = arguments[0];
  if (value.is_blob() && !has_vector_subtype(value)) {
    const codec::VectorView view = codec::view_vector(value.blob(), Type);
    codec::require_finite(view);
    return set_copy(context, view);
  }
  if (value.is_text()) return set_vector(context, codec::parse_vector_json(value.text(), Type), Type);
  VectorArgument vector(context, arguments, 0);
  if (vector.type() == Type) return set_copy(context, vector.view());
  Buffer<float> values(vector.dimension());
  codec::to_float32(vector.view(), values);
  set_vector(context, values, Type);
}

void to_json(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const VectorArgument vector(context, arguments, 0);
  const std::string text = codec::write_vector_json(vector.view());
  sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  sqlite3_result_subtype(context, kJsonSubtype);
}

void length(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const VectorArgument vector(context, arguments, 0);
  sqlite3_result_int64(context, static_cast<sqlite3_int64>(vector.dimension()));
}

void type(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const VectorArgument vector(context, arguments, 0);
  const std::string_view name = codec::name_of(vector.type());
  sqlite3_result_text64(context, name.data(), name.size(), SQLITE_STATIC, SQLITE_UTF8);
}

void set_element(sqlite3_context* context, const codec::VectorView& vector, std::size_t index) {
  const float value = codec::element(vector, index);
  if (!codec::is_floating(vector.type)) return sqlite3_result_int(context, static_cast<int>(value));
  sqlite3_result_double(context, value);
}

void at(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const VectorArgument vector(context, arguments, 0);
  const std::int64_t last = static_cast<std::int64_t>(vector.dimension()) - 1;
  const std::int64_t index = integer_argument(arguments[1], "the index", 0, last);
  set_element(context, vector.view(), static_cast<std::size_t>(index));
}

void slice(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const VectorArgument vector(context, arguments, 0);
  const auto dimension = static_cast<std::int64_t>(vector.dimension());
  const std::int64_t start = integer_argument(arguments[1], "start", 0, dimension - 1);
  const std::int64_t end = integer_argument(arguments[2], "end", start + 1, dimension);
  if (vector.type() == ElementType::bit && (start % 8 != 0 || end % 8 != 0)) {
    throw Error(Code::invalid_argument,
                "start and end of a slice of bits must be multiples of 8, and these are " +
                    std::to_string(start) + " and " + std::to_string(end));
  }
  const std::size_t offset = codec::bytes_of(vector.type(), static_cast<std::size_t>(start));
  const codec::VectorView part{vector.type(), static_cast<std::size_t>(end - start),
                               vector.view().data + offset};
  set_copy(context, part);
}

void concat(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  VectorArgument a(context, arguments, 0);
  VectorArgument b(context, arguments, 1);
  if (a.type() != b.type()) codec::throw_shapes_differ(a.view(), b.view());
  const std::size_t dimension = a.dimension() + b.dimension();
  if (dimension > codec::kMaximumDimension) {
    throw Error(Code::too_big, "the result would have " + std::to_string(dimension) +
                                   " elements, and the limit is " + std::to_string(codec::kMaximumDimension));
  }
  VectorResult result(a.type(), dimension);
  std::memcpy(result.bytes().data(), a.view().data, a.view().size());
  std::memcpy(result.bytes().data() + a.view().size(), b.view().data, b.view().size());
  std::move(result).set(context);
}

void zeros(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const std::int64_t dimension = integer_argument(arguments[0], "the dimension", 1, kMost);
  VectorResult result(ElementType::float32, static_cast<std::size_t>(dimension));
  std::memset(result.bytes().data(), 0, result.bytes().size());
  std::move(result).set(context);
}

void random(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const std::int64_t dimension = integer_argument(arguments[0], "the dimension", 1, kMost);
  const std::int64_t seed =
      integer_argument(arguments[1], "the seed", std::numeric_limits<std::int64_t>::min(),
                       std::numeric_limits<std::int64_t>::max());
  VectorResult result(ElementType::float32, static_cast<std::size_t>(dimension));
  const std::span<float> values = result.float32();
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(core::random_normal(static_cast<std::uint64_t>(seed), i));
  }
  std::move(result).set(context);
}

// The elements of one vector, which is copied: the argument is gone when the rows are read.
class Elements : public Rows {
 public:
  explicit Elements(db::Value value) {
    const DecodedVector vector(value);
    bytes_.assign(vector.view().bytes().begin(), vector.view().bytes().end());
    view_ = {vector.view().type, vector.view().dimension, bytes_.data()};
  }
  bool next() override { return ++index_ < static_cast<std::int64_t>(view_.dimension); }
  void column(sqlite3_context* context, int) override {
    set_element(context, view_, static_cast<std::size_t>(index_));
  }
  [[nodiscard]] std::int64_t rowid() const override { return index_; }

 private:
  Buffer<std::byte> bytes_;
  codec::VectorView view_;
  std::int64_t index_ = -1;
};

constexpr TableFunction kEach{
    .columns = "value",
    .visible_columns = 1,
    .arguments = "vector HIDDEN",
    .minimum_arguments = 1,
    .maximum_arguments = 1,
    .open = [](sqlite3*, std::span<sqlite3_value* const> arguments) -> std::unique_ptr<Rows> {
      const db::Value value(arguments[0]);
      if (value.is_null()) return nullptr;
      return std::make_unique<Elements>(value);
    },
};

constexpr Function kFunctions[] = {
    {.name = "vec_f32",
     .signature = "vec_f32(x)",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .chapter = Chapter::values,
     .summary =
         "A float32 vector from JSON text, from a BLOB of little-endian float32, or from a vector of another "
         "type. Up to 65,535 elements; NaN and infinity are refused.",
     .example = "SELECT vec_to_json(vec_f32('[1, 2.5, -0.1]'))",
     .result = "[1,2.5,-0.1]",
     .flags = kPureVector,
     .call = call<make<ElementType::float32>>},
    {.name = "vec_f16",
     .signature = "vec_f16(x)",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .chapter = Chapter::values,
     .summary =
         "A float16 vector (IEEE binary16, 11 significant bits, up to 65504) from JSON text, from a BLOB of "
         "float16, or from a vector of another type, rounded to nearest even. A BLOB from a plain table has "
         "no type: wrap the column, vec_f16(col), wherever it is used.",
     .example = "SELECT vec_to_json(vec_f16('[1, 2.5, 0.1]')), hex(vec_f16('[1]'))",
     .result = "[1,2.5,0.1]|003C",
     .flags = kPureVector,
     .call = call<make<ElementType::float16>>},
    {.name = "vec_bf16",
     .signature = "vec_bf16(x)",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .chapter = Chapter::values,
     .summary = "As vec_f16 for bfloat16: the upper half of a float32, 8 significant bits, float32's range.",
     .example = "SELECT vec_to_json(vec_bf16('[1, 2.5, 1e30]')), hex(vec_bf16('[1]'))",
     .result = "[1,2.5,1e+30]|803F",
     .flags = kPureVector,
     .call = call<make<ElementType::bfloat16>>},
    {.name = "vec_int8",
     .signature = "vec_int8(x)",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .chapter = Chapter::values,
     .summary =
         "A vector of signed 8-bit integers from JSON text, from a BLOB of one byte an element, or from a "
         "vector of another type whose elements are integers of -128 to 127. To make small integers of "
         "float32 see vec_quantize_int8.",
     .example = "SELECT vec_to_json(vec_int8('[1, -128, 127]')), vec_type(vec_int8(x'01ff'))",
     .result = "[1,-128,127]|int8",
     .flags = kPureVector,
     .call = call<make<ElementType::int8>>},
    {.name = "vec_bit",
     .signature = "vec_bit(x)",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .chapter = Chapter::values,
     .summary =
         "A vector of bits from a BLOB (eight elements a byte, the first in the least significant bit) or "
         "from JSON text or a vector of zeros and ones, a multiple of 8 of them.",
     .example = "SELECT vec_to_json(vec_bit(x'07')), vec_length(vec_bit(x'0700'))",
     .result = "[1,1,1,0,0,0,0,0]|16",
     .flags = kPureVector,
     .call = call<make<ElementType::bit>>},
    {.name = "vec_to_json",
     .signature = "vec_to_json(v)",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .chapter = Chapter::values,
     .summary =
         "The vector as a JSON array. Each number is the shortest that reads back as the same element of the "
         "vector's type, whatever the locale.",
     .example = "SELECT vec_to_json(x'0000803fcdcccc3d')",
     .result = "[1,0.1]",
     .flags = kPureVector,
     .call = call<to_json>},
    {.name = "vec_length",
     .signature = "vec_length(v)",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .chapter = Chapter::values,
     .summary = "The number of elements.",
     .example = "SELECT vec_length('[1, 2, 3]')",
     .result = "3",
     .flags = kPure,
     .call = call<length>},
    {.name = "vec_type",
     .signature = "vec_type(v)",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .chapter = Chapter::values,
     .summary =
         "The element type: float32, float16, bfloat16, int8 or bit. It is told by the subtype, which does "
         "not survive storage in a plain table; a BLOB without one, and JSON text, is float32.",
     .example = "SELECT vec_type('[1]'), vec_type(vec_f16('[1]'))",
     .result = "float32|float16",
     .flags = kPure,
     .call = call<type>},
    {.name = "vec_at",
     .signature = "vec_at(v, i)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::values,
     .summary =
         "Element i, counted from 0: a REAL, or an INTEGER of an int8 or bit vector. An i outside the vector "
         "is an error.",
     .example = "SELECT vec_at('[1, 2.5]', 1), vec_at(vec_int8('[7]'), 0)",
     .result = "2.5|7",
     .flags = kPure,
     .call = call<at>},
    {.name = "vec_slice",
     .signature = "vec_slice(v, start, end)",
     .minimum_arguments = 3,
     .maximum_arguments = 3,
     .chapter = Chapter::values,
     .summary =
         "Elements start to end, counted from 0, end not included; of bits both must be multiples of 8.",
     .example = "SELECT vec_to_json(vec_slice('[1, 2, 3, 4]', 0, 2))",
     .result = "[1,2]",
     .flags = kPureVector,
     .call = call<slice>},
    {.name = "vec_concat",
     .signature = "vec_concat(a, b)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::values,
     .summary = "The elements of a, then those of b; both of one type.",
     .example = "SELECT vec_to_json(vec_concat('[1, 2]', '[3]'))",
     .result = "[1,2,3]",
     .flags = kPureVector,
     .call = call<concat>},
    {.name = "vec_zeros",
     .signature = "vec_zeros(d)",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .chapter = Chapter::values,
     .summary = "A float32 vector of d zeros.",
     .example = "SELECT vec_to_json(vec_zeros(3))",
     .result = "[0,0,0]",
     .flags = kPureVector,
     .call = call<zeros>},
    {.name = "vec_random",
     .signature = "vec_random(d, seed)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::values,
     .summary =
         "A float32 vector of d independent numbers of the standard normal distribution, the same for the "
         "same seed on every machine. Its direction is uniform on the sphere.",
     .example = "SELECT vec_length(vec_random(384, 1)), vec_random(4, 1) = vec_random(4, 1), "
                "vec_random(4, 1) = vec_random(4, 2)",
     .result = "384|1|0",
     .flags = kPureVector,
     .call = call<random>},
    {.name = "vec_each",
     .signature = "vec_each(v)",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .chapter = Chapter::values,
     .summary = "A table of the elements: rowid from 0, value.",
     .example = "SELECT rowid, value FROM vec_each('[0.5, 2]')",
     .result = "0|0.5\n1|2.0",
     .flags = 0,
     .module = &module_of<kEach>},
};

}  // namespace

std::span<const Function> value_functions() noexcept {
  return kFunctions;
}

}  // namespace isovec::surface
