#pragma once
// How long a campaign runs: short by default, longer and from other seeds where the environment says so.

#include <cstdlib>

namespace isovec::test {

/// The number in an environment variable, or `otherwise` where there is none.
inline unsigned wanted_number(const char* variable, unsigned otherwise) {
  const char* const wanted = std::getenv(variable);
  return wanted != nullptr ? static_cast<unsigned>(std::strtoul(wanted, nullptr, 10)) : otherwise;
}

/// Seeds of a campaign of random steps: as many as `variable` says, or `otherwise`, from ISOVEC_FIRST_SEED
/// (1) on.
struct Seeds {
  Seeds(const char* variable, unsigned otherwise)
      : first(wanted_number("ISOVEC_FIRST_SEED", 1)), end(first + wanted_number(variable, otherwise)) {}
  unsigned first;
  unsigned end;
};

}  // namespace isovec::test
