#include "index/row_coder.hpp"

#include <algorithm>
#include <cmath>
#include <isovec/error.hpp>

#include "core/floating_point.hpp"
#include "core/kernels.hpp"
#include "core/similarity.hpp"

namespace isovec::index {
namespace {

double norm_of(std::span<const double> v) noexcept {
  return std::sqrt(core::kernels().dot_f64(v.data(), v.data(), v.size()));
}

/// |x| over the columns that a transform reads, in float64.
double norm_of(std::span<const float> x) {
  const Buffer<double> wide(x.begin(), x.end());
  return norm_of(wide);
}

}  // namespace

RowCoder::RowCoder(Metric metric, std::size_t dimension, const Transform* transform)
    : metric_(metric), dimension_(dimension), transform_(transform) {
  if (!is_of_products(metric)) {
    throw Error(Code::invalid_argument,
                "rows searched by " + std::string(name_of(metric)) + " have no codes");
  }
  if (transform_ == nullptr) return;
  const TransformParts& parts = transform_->parts();
  if (parts.input_dimensions != dimension) {
    throw Error(Code::invalid_argument, "the transform takes " + std::to_string(parts.input_dimensions) +
                                            " dimensions, and the column has " + std::to_string(dimension));
  }
  const core::FloatingPointScope scope;
  divides_ = metric == Metric::cosine || after(parts.normalize);
  mean_norm_ = norm_of(parts.mean);
  linear_size_ = linear_size(*transform_);
}

RowCoder::Images RowCoder::images_of(std::span<const float> rows, std::size_t count,
                                     const Checkpoint& checkpoint) const {
  if (rows.size() != count * dimension_ || count > codec::kBlockRows) {
    throw Error(Code::invalid_argument, "a block of codes takes up to 256 rows of the column's dimension");
  }
  const core::FloatingPointScope scope;
  const bool divides_input = before(transform_->parts().normalize);
  const std::size_t d = coded_dimension();
  Images images{Buffer<double>(count * d), Buffer<double>(count), Buffer<double>(count),
                Buffer<double>(count)};
  for (std::size_t begin = 0; begin < count; begin += kRowsAtOnce) {
    const std::size_t some = std::min(kRowsAtOnce, count - begin);
    if (checkpoint) checkpoint();
    transform_->row_images(rows.data() + begin * dimension_, dimension_,
                           std::span(images.z).subspan(begin * d, some * d),
                           std::span(images.norms).subspan(begin, some));
  }
  for (std::size_t r = 0; r < count; ++r) {
    const auto x = rows.subspan(r * dimension_, dimension_);
    const bool defined = !divides_input || transform_->input_norm(x.data()) != 0;
    images.divisors[r] = !defined ? 0 : divides_ ? images.norms[r] : 1;
    images.reaches[r] = reach(x, mean_norm_);
  }
  return images;
}

Buffer<std::byte> RowCoder::encode(std::span<const float> rows, std::span<const std::int64_t> slots,
                                   std::uint64_t seed, Buffer<double>* norms,
                                   const Checkpoint& checkpoint) const {
  const codec::CodeBlockLabel label{static_cast<codec::CodeMetric>(metric_), coded_dimension(), slots, seed};
  if (transform_ == nullptr) return codec::encode_block(label, rows);
  Images images = images_of(rows, slots.size(), checkpoint);
  Buffer<std::byte> block = codec::encode_block(label, images.rows());
  if (norms != nullptr) *norms = std::move(images.norms);
  return block;
}

void RowCoder::recode(std::span<std::byte> block, std::span<const std::size_t> which,
                      std::span<const float> rows, const Checkpoint& checkpoint) const {
  const codec::CodeBlockShape shape = codec::CodeBlockView::parse(block).shape();
  if (shape.metric != static_cast<codec::CodeMetric>(metric_) || shape.dimension != coded_dimension() ||
      shape.transformed != (transform_ != nullptr)) {
    throw Error(Code::corrupt, "a block of codes is of another column");
  }
  if (transform_ == nullptr) return codec::recode_rows(block, which, rows);
  codec::recode_rows(block, which, images_of(rows, which.size(), checkpoint).rows());
}

bool RowCoder::center(std::span<const float> x, std::span<const double> mean, double* out) const {
  const TransformParts& parts = transform_->parts();
  const std::span<const float> read = x.first(parts.columns);
  double norm = 1;
  if (before(parts.normalize)) {
    norm = norm_of(read);
    if (norm == 0) return false;
  }
  for (std::size_t j = 0; j < read.size(); ++j) {
    out[j] = static_cast<double>(read[j]) / norm - (mean.empty() ? 0.0 : mean[j]);
  }
  return true;
}

/// z = W centered, by the canonical sums.
void RowCoder::map(std::span<const double> centered, std::span<double> z) const {
  const TransformParts& parts = transform_->parts();
  const core::KernelTable& kernels = core::kernels();
  const std::size_t columns = parts.columns;
  if (parts.kind == Linear::dense || parts.kind == Linear::symmetric) {
    kernels.gemv_f64(parts.linear.data(), centered.data(), z.size(), columns, z.data());
    return;
  }
  std::copy(centered.begin(), centered.end(), z.begin());
  if (parts.kind == Linear::diagonal) {
    for (std::size_t j = 0; j < columns; ++j) z[j] *= parts.linear[j];
  }
  if (parts.kind != Linear::projection) return;
  for (std::size_t begin = 0; begin < parts.linear.size(); begin += columns) {
    const double* const direction = parts.linear.data() + begin;
    const double along = kernels.dot_f64(direction, centered.data(), columns);
    for (std::size_t j = 0; j < columns; ++j) z[j] -= along * direction[j];
  }
}

double RowCoder::reach(std::span<const float> x, double mean_norm) const {
  const TransformParts& parts = transform_->parts();
  return (before(parts.normalize) ? 1 : norm_of(x.first(parts.columns))) + mean_norm;
}

QueryCode RowCoder::code(const Query& query) const {
  if (transform_ == nullptr) return QueryCode::raw(metric_, query.vector);
  const core::FloatingPointScope scope;
  const TransformParts& parts = transform_->parts();
  if (query.vector.size() != dimension_ || (!query.mean.empty() && query.mean.size() != dimension_)) {
    throw Error(Code::invalid_argument,
                "a query and its mean have the dimension of the column, " + std::to_string(dimension_));
  }
  Buffer<double> own_mean(query.mean.begin(), query.mean.end());
  own_mean.resize(query.mean.empty() ? 0 : parts.columns);
  const std::span<const double> mean =
      query.mean.empty() ? std::span(parts.mean) : std::span<const double>(own_mean);
  Buffer<double> centered(parts.columns);
  Buffer<double> z(parts.output_dimensions);
  if (!center(query.vector, mean, centered.data())) {
    throw Error(Code::invalid_argument,
                "the transform normalizes rows first, and a zero vector has no direction");
  }
  map(centered, z);
  TransformedQuery transformed;
  transformed.z = z;
  transformed.divisor = divides_ ? norm_of(z) : 1;
  transformed.reach = reach(query.vector, norm_of(mean));
  transformed.linear_size = linear_size_;
  transformed.columns = parts.columns;
  // Scorer divides a.x by a float32 sum's norm: core/similarity.hpp, half of its rounding in the root.
  if (before(parts.normalize)) {
    transformed.row_norm_error = 0.51 * static_cast<double>(8 + (dimension_ + 31) / 32) * 0x1p-24;
  }
  return QueryCode::transformed(metric_, transformed);
}

}  // namespace isovec::index
