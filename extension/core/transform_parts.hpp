#pragma once
// Which parts make a transform. Its numbers say one thing in several places: this is where they are compared.

#include <isovec/transform.hpp>

namespace isovec::core {

/// A fit warns of a handful of things.
inline constexpr std::size_t kMostWarnings = 100;

/// Throws Error{invalid_argument} that names the first rule that `parts` break. The rules are those that
/// every transform keeps which a fit, a composition or an import makes, so that nothing that reads a
/// transform has to ask again: a BLOB may claim anything under a right checksum.
void check_parts(const TransformParts& parts);

}  // namespace isovec::core
