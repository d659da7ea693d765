#pragma once
// The linear part W of a transform by its shape: what is an identity, a diagonal or a projection is applied
// and composed as such, and written out as a matrix only where that is asked for.

#include <isovec/transform.hpp>

namespace isovec::core {

/// z = W x in fixed-order float64: c numbers in, k out. They do not overlap.
void apply_linear(const TransformParts& parts, const double* x, double* z);

/// W written out to `out`, k rows of `width` numbers, zeros from column c on. Requires width >= c. The same
/// bits on every CPU.
void write_out(const TransformParts& parts, std::size_t width, double* out, const Checkpoint& checkpoint);
/// The same as a value.
[[nodiscard]] Buffer<double> written_out(const TransformParts& parts, std::size_t width,
                                         const Checkpoint& checkpoint);

/// The shape of W2 after W1, where W2 reads the leading outputs of W1.
[[nodiscard]] Linear composed_kind(const TransformParts& outer, const TransformParts& inner) noexcept;
/// The columns that it reads.
[[nodiscard]] std::size_t composed_columns(const TransformParts& outer, const TransformParts& inner) noexcept;
/// Its numbers, as TransformParts::linear has them.
[[nodiscard]] Buffer<double> composed_linear(const TransformParts& outer, const TransformParts& inner,
                                             const Checkpoint& checkpoint);

}  // namespace isovec::core
