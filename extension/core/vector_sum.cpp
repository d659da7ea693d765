#include "core/vector_sum.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace isovec::core {

namespace {

// Weights within 2^-600 and 2^600 are taken as they are: float32 reaches from 2^-149 to 2^128, so neither a
// sum of 2^64 products overflows nor do their low parts vanish. The others are scaled there by this.
constexpr int kScale = 600;

// 0 for large weights, 1 for usual and 2 for small ones.
std::size_t part_of(double weight) noexcept {
  if (weight > 0x1p600) return 0;
  return weight >= 0x1p-600 ? 1 : 2;
}

// The exponent of the unit of a part.
constexpr int unit_of(std::size_t part) noexcept {
  return kScale * (1 - static_cast<int>(part));
}

}  // namespace

void VectorSum::Part::add(const float* row, double factor) noexcept {
  const auto* bytes = reinterpret_cast<const std::byte*>(row);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    float element;
    std::memcpy(&element, bytes + i * sizeof(float), sizeof(float));
    sums[i].add(factor * static_cast<double>(element));
  }
  weights.add(factor);
}

void VectorSum::add(const float* row, double weight) {
  if (weight == 0) return;
  const std::size_t index = part_of(weight);
  Part& part = parts_[index];
  if (part.sums.empty()) part.sums.resize(dimension_);
  part.add(row, std::ldexp(weight, -unit_of(index)));
  ++part.rows;
}

void VectorSum::subtract(const float* row, double weight) noexcept {
  if (weight == 0) return;
  const std::size_t index = part_of(weight);
  Part& part = parts_[index];
  if (part.rows == 0) return;
  if (--part.rows == 0) {  // what would be left is rounding
    std::fill(part.sums.begin(), part.sums.end(), CompensatedSum());
    part.weights = CompensatedSum();
    return;
  }
  part.add(row, -std::ldexp(weight, -unit_of(index)));
}

std::uint64_t VectorSum::rows() const noexcept {
  std::uint64_t rows = 0;
  for (const Part& part : parts_) rows += part.rows;
  return rows;
}

std::size_t VectorSum::largest_part() const noexcept {
  std::size_t part = 0;
  while (part + 1 < kParts && parts_[part].rows == 0) ++part;
  return part;
}

// The sum over the parts in the unit of the largest that has rows.
template <typename Pick>
double VectorSum::total(std::size_t largest, Pick pick) const noexcept {
  CompensatedSum sum;
  for (std::size_t index = kParts; index-- > largest;) {
    if (parts_[index].rows != 0) sum.add(std::ldexp(pick(parts_[index]), unit_of(index) - unit_of(largest)));
  }
  return sum.value();
}

double VectorSum::sum(std::size_t index) const noexcept {
  const std::size_t largest = largest_part();
  return std::ldexp(total(largest, [index](const Part& part) { return part.sums[index].value(); }),
                    unit_of(largest));
}

double VectorSum::mean(std::size_t index) const noexcept {
  const std::size_t largest = largest_part();
  return total(largest, [index](const Part& part) { return part.sums[index].value(); }) /
         total(largest, [](const Part& part) { return part.weights.value(); });
}

}  // namespace isovec::core
