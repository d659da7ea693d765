// The public C++ functions over vectors: what core::similarity does, with its requirements checked.

#include <cmath>
#include <isovec/error.hpp>
#include <isovec/similarity.hpp>
#include <string>

#include "core/floating_point.hpp"
#include "core/kernels.hpp"
#include "core/similarity.hpp"

namespace isovec {
namespace {

using Vector = std::span<const float>;

void require_equal_sizes(Vector a, Vector b) {
  if (a.size() == b.size()) return;
  throw Error(Code::invalid_argument,
              "dimensions differ: " + std::to_string(a.size()) + " and " + std::to_string(b.size()));
}

void require_finite(Vector a) {
  const std::size_t index = core::first_nonfinite(a);
  if (index == a.size()) return;
  throw Error(Code::invalid_argument, "element " + std::to_string(index) +
                                          (std::isnan(a[index]) ? " is NaN" : " is infinite") +
                                          "; vectors hold finite numbers");
}

bool is_finite(double result) {
  return std::isfinite(result);
}
bool is_finite(const std::optional<double>& result) {
  return !result || std::isfinite(*result);
}

/// Calls measure(a, b); only where the result is not finite can an element be NaN or infinite.
template <class Measure>
auto measured(Vector a, Vector b, Measure measure) {
  require_equal_sizes(a, b);
  const core::FloatingPointScope scope;
  const auto result = measure(a, b);
  if (!is_finite(result)) {
    require_finite(a);
    require_finite(b);
  }
  return result;
}

}  // namespace

double dot(Vector a, Vector b) {
  return measured(a, b, core::dot);
}
std::optional<double> cosine(Vector a, Vector b) {
  return measured(a, b, core::cosine);
}
std::optional<double> distance_cosine(Vector a, Vector b) {
  return measured(a, b, core::distance_cosine);
}
double distance_l2(Vector a, Vector b) {
  return measured(a, b, core::distance_l2);
}
double distance_l1(Vector a, Vector b) {
  return measured(a, b, core::l1);
}
std::optional<double> angle(Vector a, Vector b) {
  return measured(a, b, core::angle);
}
double norm(Vector a) {
  return measured(a, a, [](Vector x, Vector) { return core::norm(x); });
}

std::string_view backend() noexcept {
  return core::kernels().name;
}

}  // namespace isovec
