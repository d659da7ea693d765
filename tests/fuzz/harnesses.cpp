#include "fuzz/harness.hpp"

namespace isovec::fuzz {

std::span<const Harness> harnesses() noexcept {
  static constexpr Harness kHarnesses[] = {
      {"vector_blob", fuzz_vector_blob, vector_blob_seeds},
      {"vector_json", fuzz_vector_json, vector_json_seeds},
      {"npy", fuzz_npy, npy_seeds},
      {"spec", fuzz_spec, spec_seeds},
      {"transform", fuzz_transform, transform_seeds},
      {"statistics", fuzz_statistics, statistics_seeds},
      {"code_block", fuzz_code_block, code_block_seeds},
      {"definition", fuzz_definition, definition_seeds},
  };
  return kHarnesses;
}

}  // namespace isovec::fuzz
