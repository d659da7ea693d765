#pragma once
// The isotropy report as JSON.

#include <string>

#include "core/isotropy.hpp"

namespace isovec::codec {

/// A JSON object of the report: numbers under plain names, `findings` as sentences.
[[nodiscard]] std::string to_json(const core::IsotropyReport& report);

}  // namespace isovec::codec
