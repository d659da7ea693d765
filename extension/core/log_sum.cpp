#include "core/log_sum.hpp"

#include <cmath>

namespace isovec::core {

namespace {

constexpr double kWidth = 16;

double group_of(double x) noexcept {
  return std::floor(x / kWidth);
}

double scaled(double x) noexcept {
  return std::exp(x - kWidth * group_of(x));
}

}  // namespace

void LogSumOfExponentials::add(double x) {
  Group& group = groups_[group_of(x)];
  group.sum.add(scaled(x));
  ++group.terms;
  ++terms_;
}

void LogSumOfExponentials::subtract(double x) noexcept {
  const auto found = groups_.find(group_of(x));
  if (found == groups_.end()) return;
  --terms_;
  if (--found->second.terms == 0) {
    groups_.erase(found);
  } else {
    found->second.sum.subtract(scaled(x));
  }
}

double LogSumOfExponentials::value() const noexcept {
  const double greatest = groups_.rbegin()->first;
  double sum = 0;
  for (auto group = groups_.rbegin(); group != groups_.rend(); ++group) {
    sum += group->second.sum.value() * std::exp(kWidth * (group->first - greatest));
  }
  return kWidth * greatest + std::log(sum);
}

}  // namespace isovec::core
