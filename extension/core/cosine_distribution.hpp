#pragma once
// The cosine between two independent random directions in d dimensions. Its density is proportional to
// (1 - c^2)^((d - 3) / 2), hence P(cos >= c) = I_{1 - c^2}((d - 1) / 2, 1 / 2) / 2 for c >= 0, with the
// regularized incomplete beta function I (M. Abramowitz and I. Stegun, Handbook of Mathematical
// Functions, 26.5). d need not be whole: it may be an effective dimension.
//
// Requires of all functions: 1 < d <= 65,535 and -1 <= c <= 1. Results are accurate to about 1e-13 relative.

namespace isovec::core {

/// P(cos >= c)
[[nodiscard]] double cosine_tail(double c, double d) noexcept;

/// -log10 P(cos >= c), also where the probability is below the least float64; infinite for c = 1.
[[nodiscard]] double cosine_surprise(double c, double d) noexcept;

/// The c with P(cos >= c) = p. Requires 0 <= p <= 1.
[[nodiscard]] double cosine_quantile(double p, double d) noexcept;

}  // namespace isovec::core
