#pragma once
// The JSON report of vec_cosine_histogram: written, and read back by a reader that takes this one form and no
// other JSON, so that reading it runs no SQL.

#include <cstdint>
#include <isovec/buffer.hpp>
#include <string>
#include <string_view>

namespace isovec::codec {

/// Equal bins over [-1, 1] and how many cosines fell into each.
struct CosineReport {
  struct Bin {
    double low = 0;
    double high = 0;
    std::uint64_t count = 0;
    double expected = 0;  ///< of random directions
  };
  std::uint64_t rows = 0;     ///< that came
  std::uint64_t sampled = 0;  ///< of these, the rows whose pairs were visited
  std::uint64_t dimension = 0;
  std::uint64_t pairs = 0;
  Buffer<Bin> bins;
};

/// The most bins that a report has.
inline constexpr std::size_t kMostBins = 10'000;

/// {"rows":3,"sampled":3,"dimension":3,"pairs":3,"bins":[{"lo":-1,"hi":0,"n":1,"expected":1.5},...]}
[[nodiscard]] std::string to_json(const CosineReport& report);

/// Reads what to_json() writes; blanks between its parts do not matter. Throws Error that says what was
/// expected where.
[[nodiscard]] CosineReport parse_cosine_report(std::string_view text);

}  // namespace isovec::codec
