// Each measure has a kernel for each element type; what the float kernels sum in float32 is finished by
// core/similarity, so that a row scored here and in a search gets the same bits. The elements are not looked
// at for NaN and infinity unless the result is not finite, which proves one.

#include "surface/distance_functions.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "core/kernels.hpp"
#include "core/similarity.hpp"
#include "surface/vector_argument.hpp"

namespace isovec::surface {

namespace {

using codec::ElementType;

// Two vectors of one type and dimension; neither argument is NULL.
struct Pair {
  Pair(sqlite3_context* context, const Arguments& arguments)
      : a(context, arguments, 0, Look::later), b(context, arguments, 1, Look::later) {
    codec::require_same_shape(a.view(), b.view());
  }
  [[nodiscard]] ElementType type() const noexcept { return a.type(); }
  [[nodiscard]] std::size_t dimension() const noexcept { return a.dimension(); }
  [[nodiscard]] std::span<const float> wide_a() { return {a.float32(), a.dimension()}; }
  [[nodiscard]] std::span<const float> wide_b() { return {b.float32(), b.dimension()}; }
  void require_finite() {
    a.require_finite();
    b.require_finite();
  }
  VectorArgument a;
  VectorArgument b;
};

const core::HalfKernels& half_kernels(ElementType type) noexcept {
  return type == ElementType::float16 ? core::kernels().float16 : core::kernels().bfloat16;
}

[[noreturn]] void throw_bits(const char* measure) {
  throw Error(Code::invalid_argument,
              std::string("bit vectors have no ") + measure +
                  "; vec_distance_hamming(a, b) and vec_distance_jaccard(a, b) compare them");
}

// Whether a float32 sum may need a second look in float64; a wider net than core/similarity's own test, which
// decides, so that half vectors are widened only then.
bool may_be_lossy(float sum) noexcept {
  constexpr float kSmall = 0x1p-60F;
  return !std::isfinite(sum) || std::abs(sum) < kSmall;
}

double dot_of(Pair& pair) {
  const core::KernelTable& kernels = core::kernels();
  const std::size_t d = pair.dimension();
  switch (pair.type()) {
    case ElementType::float32:
      return core::dot(pair.wide_a(), pair.wide_b());
    case ElementType::float16:
    case ElementType::bfloat16: {
      const float sum = half_kernels(pair.type()).dot(pair.a.view().half(), pair.b.view().half(), d);
      return may_be_lossy(sum) ? core::finish_dot(sum, pair.wide_a(), pair.wide_b()) : sum;
    }
    case ElementType::int8:
      return static_cast<double>(kernels.int8.dot(pair.a.view().int8(), pair.b.view().int8(), d));
    case ElementType::bit:
      break;
  }
  throw_bits("dot product");
}

double squared_l2_of(Pair& pair) {
  const core::KernelTable& kernels = core::kernels();
  const std::size_t d = pair.dimension();
  switch (pair.type()) {
    case ElementType::float32:
      return core::squared_l2(pair.wide_a(), pair.wide_b());
    case ElementType::float16:
    case ElementType::bfloat16: {
      const float sum = half_kernels(pair.type()).squared_l2(pair.a.view().half(), pair.b.view().half(), d);
      return may_be_lossy(sum) ? core::finish_squared_l2(sum, pair.wide_a(), pair.wide_b()) : sum;
    }
    case ElementType::int8:
      return static_cast<double>(kernels.int8.squared_l2(pair.a.view().int8(), pair.b.view().int8(), d));
    case ElementType::bit:
      break;
  }
  throw_bits("l2 distance");
}

double l1_of(Pair& pair) {
  const core::KernelTable& kernels = core::kernels();
  const std::size_t d = pair.dimension();
  switch (pair.type()) {
    case ElementType::float32:
      return core::l1(pair.wide_a(), pair.wide_b());
    case ElementType::float16:
    case ElementType::bfloat16: {
      const float sum = half_kernels(pair.type()).l1(pair.a.view().half(), pair.b.view().half(), d);
      return may_be_lossy(sum) ? core::finish_l1(sum, pair.wide_a(), pair.wide_b()) : sum;
    }
    case ElementType::int8:
      return static_cast<double>(kernels.int8.l1(pair.a.view().int8(), pair.b.view().int8(), d));
    case ElementType::bit:
      break;
  }
  throw_bits("l1 distance");
}

// a.b, a.a and b.b. Of the two norms one is known from an earlier row where an argument is a constant.
struct Sums {
  double dot;
  double squared_norm_a;
  double squared_norm_b;
};

// q.x and x.x, from one pass over x.
std::pair<double, double> dot_and_squared_norm(const codec::VectorView& q, const codec::VectorView& x) {
  const core::KernelTable& kernels = core::kernels();
  switch (x.type) {
    case ElementType::float32: {
      const auto sums = kernels.dot_and_squared_norm(q.float32(), x.float32(), x.dimension);
      return {sums.dot, sums.squared_norm};
    }
    case ElementType::float16:
    case ElementType::bfloat16: {
      const auto sums = half_kernels(x.type).dot_and_squared_norm(q.half(), x.half(), x.dimension);
      return {sums.dot, sums.squared_norm};
    }
    case ElementType::int8: {
      const auto sums = kernels.int8.dot_and_squared_norm(q.int8(), x.int8(), x.dimension);
      return {static_cast<double>(sums.dot), static_cast<double>(sums.squared_norm)};
    }
    case ElementType::bit:
      break;
  }
  throw_bits("cosine");
}

Sums cosine_sums(Pair& pair) {
  const bool a_is_known = pair.a.knows_norm();
  if (!a_is_known && (pair.b.knows_norm() || pair.b.is_kept())) {
    if (!pair.b.knows_norm() && pair.a.is_kept()) {
      static_cast<void>(pair.a.squared_norm());  // either may be the constant: keep both for the next row
    }
    const auto [dot, norm_a] = dot_and_squared_norm(pair.b.view(), pair.a.view());
    return {dot, norm_a, pair.b.squared_norm()};
  }
  const auto [dot, norm_b] = dot_and_squared_norm(pair.a.view(), pair.b.view());
  return {dot, pair.a.squared_norm(), norm_b};
}

std::optional<double> cosine_of(Pair& pair) {
  if (pair.type() == ElementType::bit) throw_bits("cosine");
  const Sums sums = cosine_sums(pair);
  if (pair.type() == ElementType::int8) {
    return core::finish_wide_cosine(sums.dot, sums.squared_norm_a, sums.squared_norm_b);
  }
  const core::CosineSums narrow{static_cast<float>(sums.dot), static_cast<float>(sums.squared_norm_a),
                                static_cast<float>(sums.squared_norm_b)};
  const bool look_again = pair.type() == ElementType::float32 || !std::isfinite(narrow.dot) ||
                          may_be_lossy(narrow.squared_norm_a) || may_be_lossy(narrow.squared_norm_b);
  if (look_again) return core::finish_cosine(narrow, pair.wide_a(), pair.wide_b());
  return core::finish_cosine(narrow, {}, {});
}

void set_number(sqlite3_context* context, Pair& pair, std::optional<double> value) {
  if (!value) return;
  if (!std::isfinite(*value)) pair.require_finite();
  sqlite3_result_double(context, *value);
}

template <auto Measure>
void measure(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  Pair pair(context, arguments);
  set_number(context, pair, Measure(pair));
}

std::optional<double> distance_cosine_of(Pair& pair) {
  const std::optional<double> cosine = cosine_of(pair);
  if (!cosine) return std::nullopt;
  return 1 - *cosine;
}

std::optional<double> angle_of(Pair& pair) {
  if (pair.type() == ElementType::bit) throw_bits("angle");
  return core::angle(pair.wide_a(), pair.wide_b());
}

double distance_l2_of(Pair& pair) {
  return std::sqrt(squared_l2_of(pair));
}

std::int64_t differing_bits(Pair& pair) {
  if (pair.type() != ElementType::bit) {
    throw Error(Code::invalid_argument, "takes bit vectors, and these are " +
                                            std::string(codec::name_of(pair.type())) +
                                            "; vec_bit() reads bits, vec_quantize_binary() makes them");
  }
  return core::kernels().bit.hamming(pair.a.view().bits(), pair.b.view().bits(), pair.a.view().size());
}

double hamming_of(Pair& pair) {
  return static_cast<double>(differing_bits(pair));
}

double jaccard_of(Pair& pair) {
  const std::int64_t differing = differing_bits(pair);
  const auto set_in = [](VectorArgument& bits) { return static_cast<std::int64_t>(bits.squared_norm()); };
  return core::finish_jaccard(differing, set_in(pair.a), set_in(pair.b));
}

constexpr Function kFunctions[] = {
    {.name = "vec_dot",
     .signature = "vec_dot(a, b)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::distance,
     .summary = "The dot product. a and b have one type (not bit) and one dimension.",
     .example = "SELECT vec_dot('[1, 2, 3]', '[4, 5, 6]')",
     .result = "32.0",
     .flags = kPure,
     .call = call<measure<dot_of>>},
    {.name = "vec_cosine",
     .signature = "vec_cosine(a, b)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::distance,
     .summary =
         "The cosine of the angle between a and b, from -1 to 1; larger is nearer. NULL where one is all "
         "zeros.",
     .example = "SELECT vec_cosine('[3, 4]', '[4, 3]'), vec_cosine('[0, 0]', '[1, 0]') IS NULL",
     .result = "0.96|1",
     .flags = kPure,
     .call = call<measure<cosine_of>>},
    {.name = "vec_angle",
     .signature = "vec_angle(a, b)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::distance,
     .summary =
         "The angle between a and b in radians, accurate also where they are nearly parallel. NULL where one "
         "is all zeros.",
     .example = "SELECT round(vec_angle('[1, 0]', '[0, 2]'), 9)",
     .result = "1.570796327",
     .flags = kInnocuous,
     .call = call<measure<angle_of>>},
    {.name = "vec_distance_cosine",
     .signature = "vec_distance_cosine(a, b)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::distance,
     .summary = "1 - vec_cosine(a, b); smaller is nearer.",
     .example = "SELECT vec_distance_cosine('[1, 0]', '[0, 1]')",
     .result = "1.0",
     .flags = kPure,
     .call = call<measure<distance_cosine_of>>},
    {.name = "vec_distance_l2",
     .signature = "vec_distance_l2(a, b)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::distance,
     .summary = "The Euclidean distance (the root, not its square).",
     .example = "SELECT vec_distance_l2('[1, 2]', '[4, 6]')",
     .result = "5.0",
     .flags = kPure,
     .call = call<measure<distance_l2_of>>},
    {.name = "vec_distance_l1",
     .signature = "vec_distance_l1(a, b)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::distance,
     .summary = "The sum of the absolute differences.",
     .example = "SELECT vec_distance_l1('[1, 2]', '[4, 6]')",
     .result = "7.0",
     .flags = kPure,
     .call = call<measure<l1_of>>},
    {.name = "vec_distance_hamming",
     .signature = "vec_distance_hamming(a, b)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::distance,
     .summary = "The number of bits in which two bit vectors differ.",
     .example = "SELECT vec_distance_hamming(vec_bit(x'0f'), vec_bit(x'3c'))",
     .result = "4.0",
     .flags = kPure,
     .call = call<measure<hamming_of>>},
    {.name = "vec_distance_jaccard",
     .signature = "vec_distance_jaccard(a, b)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::distance,
     .summary = "Jaccard's distance of two bit vectors: the share of the bits set in either that are not set "
                "in both, "
                "from 0 to 1. 0 where both are all zeros, as in SciPy.",
     .example = "SELECT vec_distance_jaccard(vec_bit(x'0f'), vec_bit(x'1e')), "
                "vec_distance_jaccard(vec_bit(x'00'), vec_bit(x'00'))",
     .result = "0.4|0.0",
     .flags = kPure,
     .call = call<measure<jaccard_of>>},
};

}  // namespace

std::span<const Function> distance_functions() noexcept {
  return kFunctions;
}

}  // namespace isovec::surface
