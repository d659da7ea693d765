#include "surface/arithmetic_functions.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/half.hpp"
#include "core/kernels.hpp"
#include "core/similarity.hpp"
#include "core/wide_sums.hpp"
#include "surface/vector_argument.hpp"
#include "surface/vector_result.hpp"

namespace isovec::surface {

namespace {

using codec::ElementType;

[[noreturn]] void throw_type(const VectorArgument& vector, const char* wants) {
  throw Error(Code::invalid_argument,
              std::string("takes ") + wants + ", and this is " + std::string(codec::name_of(vector.type())));
}

void require_numbers(const VectorArgument& vector) {
  if (vector.type() == ElementType::bit) throw_type(vector, "vectors of numbers");
}

void require_floating(const VectorArgument& vector) {
  if (!codec::is_floating(vector.type())) {
    throw_type(vector, "float32, float16 or bfloat16 vectors (vec_f32() makes float32 of any)");
  }
}

// The elements as float32 where they may be indexed: unaligned bytes are copied.
Buffer<float> floats_of(VectorArgument& vector) {
  Buffer<float> values(vector.dimension());
  std::memcpy(values.data(), vector.float32(), values.size() * sizeof(float));
  return values;
}

void require_no_overflow(std::span<const float> values) {
  const std::size_t overflow = core::kernels().first_nonfinite(values.data(), values.size());
  if (overflow == values.size()) return;
  throw Error(Code::invalid_argument, "element " + std::to_string(overflow) +
                                          " of the result is beyond float32, whose largest number is "
                                          "3.4028235e38");
}

// Makes what fill(out) writes the function's result, rounded to `type`.
template <typename Fill>
void set_computed(sqlite3_context* context, std::size_t dimension, ElementType type, Fill fill) {
  if (type == ElementType::float32) {
    VectorResult result(type, dimension);
    fill(result.float32());
    require_no_overflow(result.float32());
    return std::move(result).set(context);
  }
  Buffer<float> values(dimension);
  fill(std::span<float>(values));
  require_no_overflow(values);
  set_vector(context, values, type);
}

// An element of what float32() gave, which need not be aligned.
float load(const float* values, std::size_t index) noexcept {
  float value;
  std::memcpy(&value, reinterpret_cast<const std::byte*>(values) + index * sizeof(float), sizeof(float));
  return value;
}

template <typename Operation>
void combine(sqlite3_context* context, const Arguments& arguments, Operation operation) {
  if (arguments.any_null()) return;
  VectorArgument a(context, arguments, 0);
  VectorArgument b(context, arguments, 1);
  require_numbers(a);
  codec::require_same_shape(a.view(), b.view());
  const float* const left = a.float32();
  const float* const right = b.float32();
  set_computed(context, a.dimension(), a.type(), [&](std::span<float> out) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = operation(load(left, i), load(right, i));
  });
}

void add(sqlite3_context* context, const Arguments& arguments) {
  combine(context, arguments, [](float a, float b) { return a + b; });
}

void subtract(sqlite3_context* context, const Arguments& arguments) {
  combine(context, arguments, [](float a, float b) { return a - b; });
}

void multiply(sqlite3_context* context, const Arguments& arguments) {
  combine(context, arguments, [](float a, float b) { return a * b; });
}

// a * b in float64, which is rounded, in such a way that rounding it further to a float type gives what one
// rounding of the exact product gives: it lies on a middle of two floats only where that does.
double product_of(double a, double b) noexcept {
  const double product = a * b;
  constexpr std::uint64_t kBelowMiddles = (std::uint64_t{1} << 28) - 1;
  const auto bits = std::bit_cast<std::uint64_t>(product);
  if ((bits & kBelowMiddles) != 0 || product == 0 || !std::isfinite(product)) return product;
  const double rest = std::fma(a, b, -product);
  if (rest == 0) return product;
  const bool beyond = (rest > 0) == !std::signbit(product);
  return std::bit_cast<double>(beyond ? bits + 1 : bits - 1);
}

// Each element times a factor, rounded once.
void set_scaled(sqlite3_context* context, VectorArgument& vector, double factor) {
  const float* const values = vector.float32();
  const bool narrow = vector.type() != ElementType::float32;
  set_computed(context, vector.dimension(), vector.type(), [&](std::span<float> out) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      const double product = product_of(factor, static_cast<double>(load(values, i)));
      out[i] = narrow ? core::narrow_to_odd(product) : static_cast<float>(product);
    }
  });
}

void scale(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  VectorArgument vector(context, arguments, 0);
  require_floating(vector);
  const double factor = number_argument(arguments[1], "the factor");
  set_scaled(context, vector, factor);
}

// Length of the vector. Throws where an element is not finite, which the sum tells.
double norm_of(VectorArgument& vector) {
  const double sum = vector.squared_norm();
  if (!codec::is_floating(vector.type())) return std::sqrt(sum);
  const double squared =
      core::finish_squared_norm(static_cast<float>(sum), {vector.float32(), vector.dimension()});
  if (!std::isfinite(squared)) vector.require_finite();
  return std::sqrt(squared);
}

void norm(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  VectorArgument vector(context, arguments, 0, Look::later);
  require_numbers(vector);
  sqlite3_result_double(context, norm_of(vector));
}

void normalize(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  VectorArgument vector(context, arguments, 0, Look::later);
  require_floating(vector);
  const double length = norm_of(vector);
  if (length != 0) set_scaled(context, vector, 1 / length);
}

void cosine_gradient(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  VectorArgument x(context, arguments, 0);
  VectorArgument y(context, arguments, 1);
  require_floating(x);
  codec::require_same_shape(x.view(), y.view());
  const Buffer<float> xs = floats_of(x);
  const Buffer<float> ys = floats_of(y);
  const double norm_x = std::sqrt(core::wide_squared_norm(xs));
  const double norm_y = std::sqrt(core::wide_squared_norm(ys));
  if (norm_x == 0 || norm_y == 0) return;
  const double cosine = core::wide_dot(xs, ys) / (norm_x * norm_y);
  set_computed(context, xs.size(), ElementType::float32, [&](std::span<float> out) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<float>((ys[i] / norm_y - cosine * (xs[i] / norm_x)) / norm_x);
    }
  });
}

void quantize_binary(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  VectorArgument vector(context, arguments, 0);
  require_numbers(vector);
  if (vector.dimension() % 8 != 0) {
    throw Error(Code::invalid_argument, "takes vectors of a multiple of 8 elements, and this has " +
                                            std::to_string(vector.dimension()));
  }
  Buffer<float> center(vector.dimension());
  if (arguments.has(1)) {
    VectorArgument given(context, arguments, 1);
    codec::require_same_shape(vector.view(), given.view());
    center = floats_of(given);
  }
  const Buffer<float> values = floats_of(vector);
  VectorResult result(ElementType::bit, values.size());
  for (std::size_t i = 0; i < values.size(); i += 8) {
    unsigned byte = 0;
    for (std::size_t bit = 0; bit < 8; ++bit) {
      byte |= static_cast<unsigned>(values[i + bit] > center[i + bit]) << bit;
    }
    result.bytes()[i / 8] = static_cast<std::byte>(byte);
  }
  std::move(result).set(context);
}

// sqlite-vec's rounding, so that vectors quantized there and here are the same: [-1, 1] to -128..127, cut
// towards zero, what lies outside to the nearer end.
void quantize_int8(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  VectorArgument vector(context, arguments, 0);
  require_floating(vector);
  if (text_argument(arguments[1], "the range") != "unit") {
    throw Error(Code::invalid_argument, "the range must be 'unit' (elements in [-1, 1])");
  }
  constexpr float kStep = 2.0F / 255.0F;
  const Buffer<float> values = floats_of(vector);
  VectorResult result(ElementType::int8, values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double level = (static_cast<double>(values[i]) + 1.0) / static_cast<double>(kStep) - 128.0;
    const auto cut = static_cast<std::int8_t>(std::clamp(level, -128.0, 127.0));
    result.bytes()[i] = static_cast<std::byte>(cut);
  }
  std::move(result).set(context);
}

constexpr Function kFunctions[] = {
    {.name = "vec_add",
     .signature = "vec_add(a, b)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::arithmetic,
     .summary =
         "a + b, element by element, in the type of both. A sum beyond the type (130 of int8) is an error, "
         "never wrapped.",
     .example = "SELECT vec_to_json(vec_add('[1, 2]', '[10, 20]'))",
     .result = "[11,22]",
     .flags = kPureVector,
     .call = call<add>},
    {.name = "vec_sub",
     .signature = "vec_sub(a, b)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::arithmetic,
     .summary = "a - b, as vec_add.",
     .example = "SELECT vec_to_json(vec_sub('[1, 2]', '[10, 20]'))",
     .result = "[-9,-18]",
     .flags = kPureVector,
     .call = call<subtract>},
    {.name = "vec_mul",
     .signature = "vec_mul(a, b)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::arithmetic,
     .summary = "a * b, element by element, as vec_add.",
     .example = "SELECT vec_to_json(vec_mul('[1, 2, 3]', '[10, 20, -1]'))",
     .result = "[10,40,-3]",
     .flags = kPureVector,
     .call = call<multiply>},
    {.name = "vec_scale",
     .signature = "vec_scale(v, s)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::arithmetic,
     .summary = "Each element times the number s, rounded once to v's type (a float type).",
     .example = "SELECT vec_to_json(vec_scale('[1, -2]', 0.5))",
     .result = "[0.5,-1]",
     .flags = kPureVector,
     .call = call<scale>},
    {.name = "vec_norm",
     .signature = "vec_norm(v)",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .chapter = Chapter::arithmetic,
     .summary = "The Euclidean length of v.",
     .example = "SELECT vec_norm('[3, 4]')",
     .result = "5.0",
     .flags = kPure,
     .call = call<norm>},
    {.name = "vec_normalize",
     .signature = "vec_normalize(v)",
     .minimum_arguments = 1,
     .maximum_arguments = 1,
     .chapter = Chapter::arithmetic,
     .summary = "v divided by its length, in v's type (a float type); NULL where v is all zeros.",
     .example = "SELECT vec_to_json(vec_normalize('[3, 4]')), vec_normalize('[0, 0]') IS NULL",
     .result = "[0.6,0.8]|1",
     .flags = kPureVector,
     .call = call<normalize>},
    {.name = "vec_cosine_gradient",
     .signature = "vec_cosine_gradient(x, y)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::arithmetic,
     .summary =
         "The gradient of cos(x, y) in x, float32: (y/|y| - cos(x, y) x/|x|) / |x|. It is orthogonal to x. "
         "NULL where x or y is all zeros.",
     .example = "SELECT vec_to_json(vec_cosine_gradient('[2, 0]', '[3, 4]'))",
     .result = "[0,0.4]",
     .flags = kPureVector,
     .call = call<cosine_gradient>},
    {.name = "vec_quantize_binary",
     .signature = "vec_quantize_binary(v [, center])",
     .minimum_arguments = 1,
     .maximum_arguments = 2,
     .chapter = Chapter::arithmetic,
     .summary =
         "A bit vector: 1 where an element is above that of center, a vector of v's type (0 without one). "
         "Takes a multiple of 8 elements. Center on the mean of the rows: bits around 0 say little where the "
         "mean is large.",
     .example = "SELECT vec_to_json(vec_quantize_binary('[1, -1, 2, 0, 3, -3, 4, 5]')), "
                "hex(vec_quantize_binary('[1, 2, 3, 4, 5, 6, 7, 8]', '[4, 4, 4, 4, 4, 4, 4, 4]'))",
     .result = "[1,0,1,0,1,0,1,1]|F0",
     .flags = kPureVector,
     .call = call<quantize_binary>},
    {.name = "vec_quantize_int8",
     .signature = "vec_quantize_int8(v, 'unit')",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::arithmetic,
     .summary = "An int8 vector of a float vector with elements in [-1, 1], mapped to -128..127 by "
                "sqlite-vec's rounding; "
                "elements outside go to the nearer end.",
     .example = "SELECT vec_to_json(vec_quantize_int8('[-1, 0, 0.5, 1, 7]', 'unit'))",
     .result = "[-128,0,63,126,127]",
     .flags = kPureVector,
     .call = call<quantize_int8>},
};

}  // namespace

std::span<const Function> arithmetic_functions() noexcept {
  return kFunctions;
}

}  // namespace isovec::surface
