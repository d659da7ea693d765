#include "core/linear_map.hpp"

#include <algorithm>

#include "core/kernels.hpp"
#include "core/products.hpp"
#include "core/work.hpp"

namespace isovec::core {
namespace {

bool has_matrix(const TransformParts& parts) noexcept {
  return parts.kind == Linear::dense || parts.kind == Linear::symmetric;
}

// How a composition is formed without writing both parts out.
enum class Way { as_outer, as_inner, diagonal, product };

// What reads fewer columns also takes another norm first, if it normalizes.
Way way_of(const TransformParts& outer, const TransformParts& inner) noexcept {
  const bool may_narrow = outer.columns == inner.columns || !before(inner.normalize);
  if (inner.kind == Linear::identity && may_narrow) return Way::as_outer;
  if (outer.kind == Linear::identity && outer.columns == inner.output_dimensions) return Way::as_inner;
  const auto is_diagonal = [](const TransformParts& parts) {
    return parts.kind == Linear::diagonal || parts.kind == Linear::identity;
  };
  if (is_diagonal(outer) && is_diagonal(inner) && may_narrow) return Way::diagonal;
  return Way::product;
}

double diagonal_of(const TransformParts& parts, std::size_t j) {
  return parts.kind == Linear::diagonal ? parts.linear[j] : 1;
}

// a (rows x c) becomes a P for the projection P = I - E^T E of m directions.
void project_columns(Buffer<double>& a, std::size_t rows, const TransformParts& projection, Work& work) {
  const std::size_t c = projection.columns, m = projection.linear.size() / c;
  const double* const e = projection.linear.data();
  Buffer<double> along(rows * m);
  multiply_add(rows, m, c, 1, {a.data(), c, 1}, {e, 1, c}, along.data(), m, work);
  multiply_add(rows, c, m, -1, {along.data(), m, 1}, {e, c, 1}, a.data(), c, work);
}

// b (c x columns) becomes P b.
void project_rows(Buffer<double>& b, std::size_t columns, const TransformParts& projection, Work& work) {
  const std::size_t c = projection.columns, m = projection.linear.size() / c;
  const double* const e = projection.linear.data();
  Buffer<double> along(m * columns);
  multiply_add(m, columns, c, 1, {e, c, 1}, {b.data(), columns, 1}, along.data(), columns, work);
  multiply_add(c, columns, m, -1, {e, 1, c}, {along.data(), columns, 1}, b.data(), columns, work);
}

// W2 W1 where W1 is a matrix, of which W2 reads the leading rows.
Buffer<double> times_matrix(const TransformParts& outer, const TransformParts& inner,
                            const Checkpoint& checkpoint) {
  Work work(checkpoint);
  const std::size_t columns = inner.columns, read = outer.columns;
  if (has_matrix(outer)) {
    Buffer<double> result(outer.output_dimensions * columns);
    multiply_add(outer.output_dimensions, columns, read, 1, {outer.linear.data(), read, 1},
                 {inner.linear.data(), columns, 1}, result.data(), columns, work);
    return result;
  }
  const auto begin = inner.linear.begin();
  Buffer<double> result(begin, begin + static_cast<std::ptrdiff_t>(read * columns));
  if (outer.kind == Linear::projection) project_rows(result, columns, outer, work);
  for (std::size_t i = 0; outer.kind == Linear::diagonal && i < read; ++i) {
    for (std::size_t j = 0; j < columns; ++j) result[i * columns + j] *= outer.linear[i];
    work.done(2 * columns);
  }
  return result;
}

// W2 W1 where W1 is none.
Buffer<double> times_structured(const TransformParts& outer, const TransformParts& inner,
                                const Checkpoint& checkpoint) {
  Work work(checkpoint);
  const std::size_t columns = inner.columns;
  Buffer<double> result = written_out(outer, columns, checkpoint);
  if (inner.kind == Linear::projection) project_columns(result, outer.output_dimensions, inner, work);
  for (std::size_t i = 0; inner.kind == Linear::diagonal && i < outer.output_dimensions; ++i) {
    for (std::size_t j = 0; j < columns; ++j) result[i * columns + j] *= inner.linear[j];
    work.done(2 * columns);
  }
  return result;
}

}  // namespace

void apply_linear(const TransformParts& parts, const double* x, double* z) {
  const KernelTable& table = kernels();
  const std::size_t columns = parts.columns;
  switch (parts.kind) {
    case Linear::identity:
      std::copy(x, x + columns, z);
      break;
    case Linear::diagonal:
      for (std::size_t j = 0; j < columns; ++j) z[j] = parts.linear[j] * x[j];
      break;
    case Linear::projection:
      std::copy(x, x + columns, z);
      for (std::size_t begin = 0; begin < parts.linear.size(); begin += columns) {
        const double* const direction = parts.linear.data() + begin;
        const double along = table.dot_f64(direction, x, columns);
        for (std::size_t j = 0; j < columns; ++j) z[j] -= along * direction[j];
      }
      break;
    default:
      table.gemv_f64(parts.linear.data(), x, parts.output_dimensions, columns, z);
      break;
  }
}

void write_out(const TransformParts& parts, std::size_t width, double* out, const Checkpoint& checkpoint) {
  const std::size_t columns = parts.columns;
  Work work(checkpoint);
  for (std::size_t i = 0; i < parts.output_dimensions; ++i) {
    double* const row = out + i * width;
    work.done(width);
    if (has_matrix(parts)) {
      std::copy_n(parts.linear.data() + i * columns, columns, row);
      std::fill(row + columns, row + width, 0.0);
      continue;
    }
    std::fill(row, row + width, 0.0);
    row[i] = diagonal_of(parts, i);
    if (parts.kind != Linear::projection) continue;
    for (std::size_t begin = 0; begin < parts.linear.size(); begin += columns) {
      const double* const direction = parts.linear.data() + begin;
      for (std::size_t j = 0; j < columns; ++j) row[j] -= direction[j] * direction[i];
      work.done(columns);
    }
  }
}

Buffer<double> written_out(const TransformParts& parts, std::size_t width, const Checkpoint& checkpoint) {
  Buffer<double> matrix(parts.output_dimensions * width);
  write_out(parts, width, matrix.data(), checkpoint);
  return matrix;
}

Linear composed_kind(const TransformParts& outer, const TransformParts& inner) noexcept {
  switch (way_of(outer, inner)) {
    case Way::as_outer:
      return outer.kind;
    case Way::as_inner:
      return inner.kind;
    case Way::diagonal:
      return Linear::diagonal;
    default:
      return Linear::dense;
  }
}

std::size_t composed_columns(const TransformParts& outer, const TransformParts& inner) noexcept {
  const Way way = way_of(outer, inner);
  return way == Way::as_outer || way == Way::diagonal ? outer.columns : inner.columns;
}

Buffer<double> composed_linear(const TransformParts& outer, const TransformParts& inner,
                               const Checkpoint& checkpoint) {
  switch (way_of(outer, inner)) {
    case Way::as_outer:
      return outer.linear;
    case Way::as_inner:
      return inner.linear;
    case Way::diagonal: {
      Buffer<double> product(outer.columns);
      for (std::size_t j = 0; j < product.size(); ++j)
        product[j] = diagonal_of(outer, j) * diagonal_of(inner, j);
      return product;
    }
    default:
      return has_matrix(inner) ? times_matrix(outer, inner, checkpoint)
                               : times_structured(outer, inner, checkpoint);
  }
}

}  // namespace isovec::core
