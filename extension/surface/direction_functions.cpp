#include "surface/direction_functions.hpp"

#include <string>

#include "codec/vector_type.hpp"
#include "core/cosine_distribution.hpp"
#include "core/key_values.hpp"
#include "surface/vector_argument.hpp"

namespace isovec::surface {

namespace {

double dimension_argument(db::Value value) {
  const double dimension = number_argument(value, "the dimension");
  if (!(dimension > 1) || dimension > static_cast<double>(codec::kMaximumDimension)) {
    throw Error(Code::invalid_argument, "the dimension must be above 1 and at most " +
                                            std::to_string(codec::kMaximumDimension) + ", and this is " +
                                            core::shortest(dimension));
  }
  return dimension;
}

template <double (*Measure)(double, double) noexcept>
void of_cosine(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const double cosine = number_argument(arguments[0], "the cosine", -1, 1);
  sqlite3_result_double(context, Measure(cosine, dimension_argument(arguments[1])));
}

void quantile(sqlite3_context* context, const Arguments& arguments) {
  if (arguments.any_null()) return;
  const double probability = number_argument(arguments[0], "the probability", 0, 1);
  sqlite3_result_double(context, core::cosine_quantile(probability, dimension_argument(arguments[1])));
}

constexpr Function kFunctions[] = {
    {.name = "vec_cosine_tail",
     .signature = "vec_cosine_tail(c, d)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::distance,
     .summary =
         "The probability that two random directions in d dimensions have a cosine of c or more: how often "
         "chance alone would give it. d > 1 may be an effective dimension, such as vec_isotropy reports. "
         "Only meaningful for centered vectors.",
     .example = "SELECT vec_cosine_tail(0.5, 3), vec_cosine_tail(0, 384)",
     .result = "0.25|0.5",
     .flags = kInnocuous,
     .call = call<of_cosine<core::cosine_tail>>},
    {.name = "vec_cosine_surprise",
     .signature = "vec_cosine_surprise(c, d)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::distance,
     .summary = "-log10 of vec_cosine_tail(c, d), also where that is too small for a number: 12 means once "
                "in 10^12. "
                "Only meaningful for centered vectors.",
     .example = "SELECT round(vec_cosine_surprise(0.5, 384), 6), round(vec_cosine_surprise(0.5, 65535), 3)",
     .result = "25.319032|4096.374",
     .flags = kInnocuous,
     .call = call<of_cosine<core::cosine_surprise>>},
    {.name = "vec_cosine_quantile",
     .signature = "vec_cosine_quantile(p, d)",
     .minimum_arguments = 2,
     .maximum_arguments = 2,
     .chapter = Chapter::distance,
     .summary = "The cosine that two random directions in d dimensions reach or pass with probability p: a "
                "threshold "
                "for a chosen rate of false matches among centered vectors.",
     .example = "SELECT vec_cosine_quantile(0.25, 3), round(vec_cosine_quantile(1e-6, 384), 6)",
     .result = "0.5|0.239501",
     .flags = kInnocuous,
     .call = call<quantile>},
};

}  // namespace

std::span<const Function> direction_functions() noexcept {
  return kFunctions;
}

}  // namespace isovec::surface
