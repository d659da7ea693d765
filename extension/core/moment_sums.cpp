#include "core/moment_sums.hpp"

#include <algorithm>

#include "core/matrix_kernels.hpp"
#include "core/work.hpp"

namespace isovec::core {
namespace {

double inner(const Buffer<double>& a, const Buffer<double>& b) {
  return matrix_kernels().dot(a.data(), b.data(), a.size());
}

void add_scaled(Buffer<double>& into, double factor, const Buffer<double>& v) {
  matrix_kernels().add_scaled(factor, v.data(), into.data(), into.size());
}

// second += S1 o^T + o S1^T + W o o^T
void move_second(Sums& sums, const Buffer<double>& first, const Buffer<double>& o,
                 const Checkpoint& checkpoint) {
  const std::size_t columns = o.size();
  Work work(checkpoint);
  for (std::size_t i = 0; i < columns; ++i) {
    const double row_factor = first[i] + sums.weight * o[i];
    if (sums.options.moments == Moments::first) {
      sums.second[i] += row_factor * o[i] + o[i] * first[i];
    } else {
      double* const row = sums.second.data() + triangle(i);
      matrix_kernels().add_scaled(row_factor, o.data(), row, i + 1);
      matrix_kernels().add_scaled(o[i], first.data(), row, i + 1);
      work.done(i + 1);
    }
  }
}

}  // namespace

double trace_of(const Sums& sums) noexcept {
  double trace = 0;
  for (std::size_t j = 0; j < sums.columns(); ++j) trace += sums.second[diagonal_index(sums, j)];
  return trace;
}

Buffer<double> second_times(const Sums& sums, const Buffer<double>& o) {
  Buffer<double> product(o.size());
  if (sums.options.moments == Moments::second) {
    matrix_kernels().symmetric_times_vector(sums.second.data(), o.size(), o.data(), product.data());
  } else {
    for (std::size_t j = 0; j < o.size(); ++j) product[j] = sums.second[j] * o[j];
  }
  return product;
}

Sums moved_to(const Sums& sums, const Buffer<double>& shift, const Checkpoint& checkpoint) {
  Sums moved = sums;
  Buffer<double> o(sums.columns());
  for (std::size_t j = 0; j < o.size(); ++j) o[j] = sums.shift[j] - shift[j];
  moved.shift = shift;
  if (std::all_of(o.begin(), o.end(), [](double x) { return x == 0; })) return moved;

  if (sums.options.moments == Moments::second) {
    const Buffer<double> product = second_times(sums, o);
    const double trace = trace_of(sums), oo = inner(o, o), first_o = inner(sums.first, o);
    moved.fourth += 4 * inner(o, product) + sums.weight * oo * oo + 4 * inner(sums.third, o) +
                    2 * oo * trace + 4 * oo * first_o;
    add_scaled(moved.third, trace + 2 * first_o + sums.weight * oo, o);
    add_scaled(moved.third, 2, product);
    add_scaled(moved.third, oo, sums.first);
  }
  move_second(moved, sums.first, o, checkpoint);
  add_scaled(moved.first, sums.weight, o);
  return moved;
}

void add_sums(Sums& into, const Sums& other, double sign) {
  into.weight += sign * other.weight;
  into.squared_weight += sign * other.squared_weight;
  into.fourth += sign * other.fourth;
  add_scaled(into.first, sign, other.first);
  add_scaled(into.second, sign, other.second);
  add_scaled(into.third, sign, other.third);
}

void clear_sums(Sums& sums) {
  sums.weight = sums.squared_weight = sums.weight_ever = sums.fourth = 0;
  std::fill(sums.first.begin(), sums.first.end(), 0.0);
  std::fill(sums.second.begin(), sums.second.end(), 0.0);
  std::fill(sums.third.begin(), sums.third.end(), 0.0);
}

}  // namespace isovec::core
