#include "core/random_normal.hpp"

#include <array>
#include <bit>
#include <cmath>

namespace isovec::core {

namespace {

using Coefficients = std::array<double, 8>;

// c[0] + c[1] x + ... + c[7] x^7
double polynomial(const Coefficients& c, double x) noexcept {
  double sum = c[7];
  for (std::size_t i = 7; i-- > 0;) sum = sum * x + c[i];
  return sum;
}

// The natural logarithm of a normal positive number, from operations that IEEE 754 rounds alike everywhere; a
// C library's log() differs between machines in its last bit. x = 2^e m with m in [sqrt(1/2), sqrt(2)), and
// log m = 2 artanh((m - 1) / (m + 1)).
double portable_log(double x) noexcept {
  constexpr std::uint64_t kFraction = (std::uint64_t{1} << 52) - 1;
  constexpr double kLog2 = 0.6931471805599453;
  const auto bits = std::bit_cast<std::uint64_t>(x);
  auto exponent = static_cast<int>(bits >> 52) - 1023;
  auto m = std::bit_cast<double>((bits & kFraction) | (std::uint64_t{1023} << 52));
  if (m > 1.4142135623730951) {
    m /= 2;
    ++exponent;
  }
  const double s = (m - 1) / (m + 1);
  const double square = s * s;  // at most 0.0295, so 12 terms leave 1e-19
  double sum = 0;
  for (int k = 23; k > 1; k -= 2) sum = (sum + 1.0 / k) * square;
  return exponent * kLog2 + 2 * s * (1 + sum);
}

// M. J. Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution", PPND16.
constexpr Coefficients kCentreUpper = {
    3.3871328727963666080e0,  1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
    4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3};
constexpr Coefficients kCentreLower = {1.0,
                                       4.2313330701600911252e+1,
                                       6.8718700749205790830e+2,
                                       5.3941960214247511077e+3,
                                       2.1213794301586595867e+4,
                                       3.9307895800092710610e+4,
                                       2.8729085735721942674e+4,
                                       5.2264952788528545610e+3};
constexpr Coefficients kTailUpper = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                     5.76949722146069140550e0,  3.64784832476320460504e0,
                                     1.27045825245236838258e0,  2.41780725177450611770e-1,
                                     2.27238449892691845833e-2, 7.74545014278341407640e-4};
constexpr Coefficients kTailLower = {1.0,
                                     2.05319162663775882187e0,
                                     1.67638483018380384940e0,
                                     6.89767334985100004550e-1,
                                     1.48103976427480074590e-1,
                                     1.51986665636164571966e-2,
                                     5.47593808499534494600e-4,
                                     1.05075007164441684324e-9};
constexpr Coefficients kFarUpper = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                    1.78482653991729133580e0,  2.96560571828504891230e-1,
                                    2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                    2.71155556874348757815e-5, 2.01033439929228813265e-7};
constexpr Coefficients kFarLower = {1.0,
                                    5.99832206555887937690e-1,
                                    1.36929880922735805310e-1,
                                    1.48753612908506148525e-2,
                                    7.86869131145613259100e-4,
                                    1.84631831751005468180e-5,
                                    1.42151175831644588870e-7,
                                    2.04426310338993978564e-15};

}  // namespace

double normal_quantile(double probability) noexcept {
  const double q = probability - 0.5;
  if (std::abs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * polynomial(kCentreUpper, r) / polynomial(kCentreLower, r);
  }
  const double r = std::sqrt(-portable_log(q < 0 ? probability : 1 - probability));
  const double x = r <= 5 ? polynomial(kTailUpper, r - 1.6) / polynomial(kTailLower, r - 1.6)
                          : polynomial(kFarUpper, r - 5) / polynomial(kFarLower, r - 5);
  return q < 0 ? -x : x;
}

double random_normal(std::uint64_t seed, std::uint64_t index) noexcept {
  const std::uint64_t bits = mix(mix(seed) + index);
  return normal_quantile((static_cast<double>(bits >> 12) + 0.5) * 0x1p-52);
}

}  // namespace isovec::core
