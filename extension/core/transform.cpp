#include <algorithm>
#include <cmath>
#include <cstring>
#include <isovec/error.hpp>
#include <isovec/transform.hpp>
#include <mutex>
#include <utility>

#include "core/kernels.hpp"
#include "core/linear_map.hpp"
#include "core/similarity.hpp"
#include "core/solve.hpp"
#include "core/transform_parts.hpp"

namespace isovec {
namespace {

// Rows whose norms are taken together: a row of W is read once for all of them.
constexpr std::size_t kNormRows = 16;

[[noreturn]] void refuse_dimensions(std::size_t expected, std::size_t got) {
  throw Error(Code::invalid_argument, "the transform takes " + std::to_string(expected) +
                                          " dimensions, got a vector of " + std::to_string(got));
}

[[noreturn]] void refuse_zero_vector() {
  throw Error(Code::invalid_argument,
              "the transform normalizes rows first, and a zero vector has no direction");
}

void check_result(std::span<const float> result) {
  if (core::kernels().first_nonfinite(result.data(), result.size()) == result.size()) return;
  throw Error(Code::invalid_argument,
              "the resulting vector is beyond float32: scale the vectors to another unit");
}

bool has_matrix(Linear kind) {
  return kind == Linear::dense || kind == Linear::symmetric;
}

// Divides by the norm, summed in ascending order; a zero vector stays as it is.
template <class Float>
void normalize_in_place(std::span<Float> z) {
  double squares = 0;
  for (const Float value : z) squares += static_cast<double>(value) * static_cast<double>(value);
  if (squares == 0) return;
  const double norm = std::sqrt(squares);
  for (Float& value : z) value = static_cast<Float>(static_cast<double>(value) / norm);
}

}  // namespace

struct Transform::Inverse {
  std::mutex making;
  Buffer<double> matrix;
};

Transform::Transform(TransformParts parts) : parts_(std::move(parts)), inverse_(std::make_shared<Inverse>()) {
  core::check_parts(parts_);
  if (has_matrix(parts_.kind)) {
    linear_f32_.resize(parts_.linear.size());
    std::transform(parts_.linear.begin(), parts_.linear.end(), linear_f32_.begin(),
                   [](double w) { return static_cast<float>(w); });
  }
}

double Transform::input_norm(const float* x) const noexcept {
  double squares = 0;
  for (std::size_t j = 0; j < parts_.columns; ++j) {
    float element = 0;
    std::memcpy(&element, x + j, sizeof element);
    squares += static_cast<double>(element) * static_cast<double>(element);
  }
  return std::sqrt(squares);
}

// out = x - mean, or x / |x| - mean; false where a zero x should be normalized.
bool Transform::center(std::span<const float> x, const Buffer<double>& mean, double* out) const {
  if (x.size() != parts_.input_dimensions) refuse_dimensions(parts_.input_dimensions, x.size());
  double norm = 1;
  if (before(parts_.normalize)) {
    norm = input_norm(x.data());
    if (norm == 0) return false;
  }
  for (std::size_t j = 0; j < parts_.columns; ++j) {
    out[j] = static_cast<double>(x[j]) / norm - (mean.empty() ? 0.0 : mean[j]);
  }
  return true;
}

// z = W centered, in fixed-order float64.
void Transform::map(const double* centered, double* z) const {
  core::apply_linear(parts_, centered, z);
}

// The same in canonical float32 sums where there is a matrix, else rounded to float32.
void Transform::map_to_float32(const Buffer<double>& centered, std::span<float> z) const {
  if (has_matrix(parts_.kind)) {
    const Buffer<float> rounded(centered.begin(), centered.end());
    core::kernels().gemv(linear_f32_.data(), rounded.data(), parts_.output_dimensions, parts_.columns,
                         z.data());
  } else {
    Buffer<double> mapped(parts_.columns);
    map(centered.data(), mapped.data());
    std::transform(mapped.begin(), mapped.end(), z.begin(), [](double v) { return static_cast<float>(v); });
  }
  check_result(z);
}

void Transform::apply(std::span<const float> x, std::span<float> z) const {
  Buffer<double> centered(parts_.columns);
  if (!center(x, parts_.mean, centered.data())) refuse_zero_vector();
  map_to_float32(centered, z);
  if (after(parts_.normalize)) normalize_in_place(z);
}

void Transform::apply(std::span<const float> x, std::span<double> z) const {
  Buffer<double> centered(parts_.columns);
  if (!center(x, parts_.mean, centered.data())) refuse_zero_vector();
  map(centered.data(), z.data());
  if (after(parts_.normalize)) normalize_in_place(z);
}

double Transform::distance_l2(std::span<const float> a, std::span<const float> b) const {
  Buffer<float> z(parts_.output_dimensions);
  if (after(parts_.normalize)) {
    Buffer<float> other(z.size());
    apply(a, std::span<float>(z));
    apply(b, std::span<float>(other));
    return core::distance_l2(z, other);
  }
  Buffer<double> difference(parts_.columns), other(parts_.columns);
  const bool defined = center(a, {}, difference.data()) && center(b, {}, other.data());
  if (!defined) refuse_zero_vector();
  for (std::size_t j = 0; j < difference.size(); ++j) difference[j] -= other[j];
  map_to_float32(difference, z);
  return core::norm(z);
}

const Buffer<double>& Transform::inverse_matrix(const Checkpoint& checkpoint) const {
  // Whoever comes while it is made waits; once made it is only read.
  const std::lock_guard lock(inverse_->making);
  if (inverse_->matrix.empty()) {
    std::optional<Buffer<double>> inverse = core::inverse(parts_.linear, parts_.columns, checkpoint);
    if (!inverse)
      throw Error(Code::invalid_argument, "the transform cannot be inverted: its matrix is singular");
    inverse_->matrix = std::move(*inverse);
  }
  return inverse_->matrix;
}

void Transform::inverse(std::span<const float> z, std::span<float> x, const Checkpoint& checkpoint) const {
  if (!parts_.not_invertible.empty()) {
    throw Error(Code::invalid_argument, "the transform cannot be inverted: " + parts_.not_invertible);
  }
  if (z.size() != parts_.output_dimensions) {
    throw Error(Code::invalid_argument, "the transform gives " + std::to_string(parts_.output_dimensions) +
                                            " dimensions, got a vector of " + std::to_string(z.size()));
  }
  const std::size_t columns = parts_.columns;
  const Buffer<double> wide(z.begin(), z.end());
  Buffer<double> result(wide);
  if (parts_.kind == Linear::diagonal) {
    for (std::size_t j = 0; j < columns; ++j) result[j] = wide[j] / parts_.linear[j];
  } else if (has_matrix(parts_.kind)) {
    core::kernels().gemv_f64(inverse_matrix(checkpoint).data(), wide.data(), columns, columns, result.data());
  }
  for (std::size_t j = 0; j < columns; ++j) {
    x[j] = static_cast<float>(result[j] + (parts_.mean.empty() ? 0.0 : parts_.mean[j]));
  }
  check_result(x.first(columns));
}

QueryForm Transform::form_around(std::span<const float> q, const Buffer<double>& mean) const {
  const std::size_t columns = parts_.columns;
  Buffer<double> centered(columns), z(parts_.output_dimensions);
  if (!center(q, mean, centered.data())) refuse_zero_vector();
  map(centered.data(), z.data());
  QueryForm form;
  form.norm = std::sqrt(core::kernels().dot_f64(z.data(), z.data(), z.size()));
  form.a.assign(parts_.input_dimensions, 0.0);
  if (parts_.kind == Linear::dense) {
    for (std::size_t i = 0; i < z.size(); ++i) {
      const double* const row = parts_.linear.data() + i * columns;
      for (std::size_t j = 0; j < columns; ++j) form.a[j] += z[i] * row[j];
    }
  } else {
    map(z.data(), form.a.data());  // W equals its transpose
  }
  if (!parts_.mean.empty()) form.b = core::kernels().dot_f64(form.a.data(), parts_.mean.data(), columns);
  return form;
}

QueryForm Transform::query_form(std::span<const float> q) const {
  return form_around(q, parts_.mean);
}

QueryForm Transform::query_form(std::span<const float> q, std::span<const float> query_mean) const {
  if (!subtracts_mean()) {
    throw Error(Code::invalid_argument,
                "a mean for queries needs a transform that subtracts one, unlike " + parts_.spec);
  }
  if (query_mean.size() != parts_.input_dimensions)
    refuse_dimensions(parts_.input_dimensions, query_mean.size());
  const auto begin = query_mean.begin();
  return form_around(q, Buffer<double>(begin, begin + static_cast<std::ptrdiff_t>(parts_.columns)));
}

double Transform::row_norm(std::span<const float> x) const {
  if (x.size() != parts_.input_dimensions) refuse_dimensions(parts_.input_dimensions, x.size());
  double norm = 0;
  row_norms(x.data(), x.size(), {&norm, 1});
  return norm;
}

// Images and norms of up to kNormRows rows; each row of W is read once for all of them. `scratch` holds
// kNormRows * (columns + 1) numbers.
void Transform::map_rows(const float* rows, std::size_t stride, std::span<double> scratch, double* images,
                         std::span<double> norms) const {
  const core::KernelTable& kernels = core::kernels();
  const std::size_t columns = parts_.columns, outputs = parts_.output_dimensions, count = norms.size();
  double* const centered = scratch.data();
  double* const products = centered + kNormRows * columns;
  for (std::size_t r = 0; r < count; ++r) {
    double* const row = centered + r * columns;
    if (!center({rows + r * stride, parts_.input_dimensions}, parts_.mean, row))
      std::fill(row, row + columns, 0.0);
    if (!has_matrix(parts_.kind)) map(row, images + r * outputs);
  }
  for (std::size_t i = 0; has_matrix(parts_.kind) && i < outputs; ++i) {
    kernels.gemv_f64(centered, parts_.linear.data() + i * columns, count, columns, products);
    for (std::size_t r = 0; r < count; ++r) images[r * outputs + i] = products[r];
  }
  for (std::size_t r = 0; r < count; ++r) {
    const double* const row = images + r * outputs;
    norms[r] = std::sqrt(kernels.dot_f64(row, row, outputs));
  }
}

void Transform::row_norms(const float* rows, std::size_t stride, std::span<double> out) const {
  Buffer<double> scratch(kNormRows * (parts_.columns + 1)), images(kNormRows * parts_.output_dimensions);
  for (std::size_t begin = 0; begin < out.size(); begin += kNormRows) {
    const std::size_t count = std::min(kNormRows, out.size() - begin);
    map_rows(rows + begin * stride, stride, scratch, images.data(), out.subspan(begin, count));
  }
}

void Transform::row_images(const float* rows, std::size_t stride, std::span<double> images,
                           std::span<double> norms) const {
  const std::size_t outputs = parts_.output_dimensions;
  if (images.size() != norms.size() * outputs) refuse_dimensions(norms.size() * outputs, images.size());
  Buffer<double> scratch(kNormRows * (parts_.columns + 1));
  for (std::size_t begin = 0; begin < norms.size(); begin += kNormRows) {
    const std::size_t count = std::min(kNormRows, norms.size() - begin);
    map_rows(rows + begin * stride, stride, scratch, images.data() + begin * outputs,
             norms.subspan(begin, count));
  }
}

Buffer<double> Transform::mean() const {
  Buffer<double> mean(parts_.mean);
  mean.resize(parts_.input_dimensions);
  return mean;
}

Buffer<double> Transform::matrix(const Checkpoint& checkpoint) const {
  return core::written_out(parts_, parts_.input_dimensions, checkpoint);
}

void Transform::matrix(double* out, const Checkpoint& checkpoint) const {
  core::write_out(parts_, parts_.input_dimensions, out, checkpoint);
}

}  // namespace isovec
