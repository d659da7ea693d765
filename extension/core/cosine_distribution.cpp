#include "core/cosine_distribution.hpp"

#include <cmath>
#include <limits>
#include <numbers>

namespace isovec::core {

namespace {

// Stirling's series for log Gamma(z) - ((z - 1/2) log z - z + log(2 pi) / 2), for z >= 16 (A&S 6.1.41).
double stirling_series(double z) noexcept {
  const double r = 1 / (z * z);
  return (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260 - r * (1.0 / 1680 - r * (1.0 / 1188))))) / z;
}

// Gamma(a + 1/2) / Gamma(a) without the cancellation of two large logarithms: by Stirling where a >= 16, to
// where the recurrence R(a) = R(a + 1) a / (a + 1/2) leads.
double gamma_ratio(double a) noexcept {
  double factor = 1;
  for (; a < 16; ++a) factor *= a / (a + 0.5);
  const double logarithm = a * std::log1p(0.5 / a) - 0.5 + stirling_series(a + 0.5) - stirling_series(a);
  return factor * std::sqrt(a) * std::exp(logarithm);
}

// I_x(a, b) a B(a, b) / (x^a y^b) for y = 1 - x: the reciprocal of the even part of the continued fraction of
// A&S 26.5.8, whose partial denominators subtract nothing from 1 (as in A. DiDonato and A. Morris, "Algorithm
// 708", 1992), by Lentz's method. Converges fast for x < (a + 1) / (a + b + 2).
double beta_fraction(double x, double y, double a, double b) noexcept {
  constexpr int kMostSteps = 10'000;
  const double first = a * y - b * x + 1;
  double fraction = a / (a + 1) * first;
  double c = fraction;
  double d = 0;
  for (int m = 1; m < kMostSteps; ++m) {
    const double t = a + 2 * m - 1;
    const double numerator = (a + m - 1) * (a + b + m - 1) / t * (m * (b - m) * x * x / t);
    const double denominator = m + m * (b - m) * x / t + (a + m) * (first + m * (2 - x)) / (a + 2 * m + 1);
    d = 1 / (denominator + numerator * d);
    c = denominator + numerator / c;
    const double step = c * d;
    fraction *= step;
    if (std::abs(step - 1) <= std::numeric_limits<double>::epsilon()) break;
  }
  return a / fraction;
}

// For a fixed d; c >= 0 throughout.
class Sphere {
 public:
  explicit Sphere(double d) noexcept
      : a_((d - 1) / 2), density_(gamma_ratio(a_) * std::numbers::inv_sqrtpi) {}

  // log(1 - c^2), from whichever form cancels nothing.
  static double log_square_sine(double c) noexcept {
    return c < 0.5 ? std::log1p(-c * c) : std::log((1 - c) * (1 + c));
  }
  // P(0 <= cos < c), relatively accurate down to c = 0.
  [[nodiscard]] double below(double c) const noexcept {
    if (!is_central(c)) return 0.5 - std::exp(log_tail(c));
    return c * std::exp(a_ * log_square_sine(c)) * density_ * beta_fraction(c * c, square_sine(c), 0.5, a_);
  }
  // log P(cos >= c), relatively accurate up to c = 1.
  [[nodiscard]] double log_tail(double c) const noexcept {
    if (is_central(c)) return std::log(0.5 - below(c));
    return a_ * log_square_sine(c) +
           std::log(0.5 * c * density_ / a_ * beta_fraction(square_sine(c), c * c, a_, 0.5));
  }
  [[nodiscard]] double density(double c) const noexcept {
    return density_ * std::exp((a_ - 1) * log_square_sine(c));
  }

 private:
  static double square_sine(double c) noexcept { return (1 - c) * (1 + c); }
  // Which of the two continued fractions converges: within about 1.7 standard deviations the one from 0.
  [[nodiscard]] bool is_central(double c) const noexcept { return square_sine(c) >= (a_ + 1) / (a_ + 2.5); }
  double a_;        // (d - 1) / 2
  double density_;  // at c = 0
};

// The root of f in [0, 1], where f rises: Newton's steps, halving where they leave the bracket.
template <typename Function>
double solve(Function f) noexcept {
  double low = 0;
  double high = 1;
  double c = 0.5;
  for (int i = 0; i < 2'000; ++i) {
    const auto [value, slope] = f(c);
    (value < 0 ? low : high) = c;
    double next = c - value / slope;
    if (!(next > low && next < high)) next = low + (high - low) / 2;
    if (std::abs(next - c) <= std::numeric_limits<double>::epsilon() / 2 * c || next == low || next == high) {
      return next;
    }
    c = next;
  }
  return c;
}

struct Step {
  double value;
  double slope;
};

}  // namespace

double cosine_tail(double c, double d) noexcept {
  const Sphere sphere(d);
  return c >= 0 ? std::exp(sphere.log_tail(c)) : 1 - std::exp(sphere.log_tail(-c));
}

double cosine_surprise(double c, double d) noexcept {
  const Sphere sphere(d);
  const double logarithm = c >= 0 ? sphere.log_tail(c) : std::log1p(-std::exp(sphere.log_tail(-c)));
  return -logarithm * std::numbers::log10e;
}

double cosine_quantile(double p, double d) noexcept {
  if (p > 0.5) return -cosine_quantile(1 - p, d);
  if (p == 0) return 1;
  const Sphere sphere(d);
  constexpr double kNearHalf = 0.25;  // above it 1/2 - p is exact, and so is small c
  if (p == 0.5) return 0;
  if (p > kNearHalf) {
    return solve([&](double c) -> Step { return {sphere.below(c) - (0.5 - p), sphere.density(c)}; });
  }
  const double target = std::log(p);
  return solve([&](double c) -> Step {
    const double tail = sphere.log_tail(c);
    return {target - tail, sphere.density(c) / std::exp(tail)};
  });
}

}  // namespace isovec::core
