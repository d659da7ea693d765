#include "core/vector_sum.hpp"

#include <cstring>

namespace isovec::core {

void VectorSum::accumulate(const float* row, double factor) noexcept {
  const auto* bytes = reinterpret_cast<const std::byte*>(row);
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    float element;
    std::memcpy(&element, bytes + i * sizeof(float), sizeof(float));
    sums_[i].add(factor * static_cast<double>(element));
  }
}

void VectorSum::add(const float* row, double weight) noexcept {
  if (weight == 0) return;
  accumulate(row, weight);
  weights_.add(weight);
  ++rows_;
}

void VectorSum::subtract(const float* row, double weight) noexcept {
  if (weight == 0) return;
  accumulate(row, -weight);
  weights_.subtract(weight);
  --rows_;
}

}  // namespace isovec::core
