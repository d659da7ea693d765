#pragma once
// What is fuzzed: each harness takes any bytes, decodes them as what it is for, and uses the result in every
// way. Bytes are refused by an Error or keep what is promised of them; anything else ends the process.
// tests/fuzz.sh runs them under libFuzzer, fuzz_corpus_test over mutations of their seeds.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <isovec/buffer.hpp>
#include <isovec/error.hpp>
#include <span>
#include <string>
#include <string_view>

namespace isovec::fuzz {

using Bytes = isovec::Buffer<std::byte>;
using View = std::span<const std::byte>;

struct Harness {
  const char* name;
  void (*run)(View input);
  isovec::Buffer<Bytes> (*seeds)();  ///< Sound inputs.
};

/// Every harness there is.
[[nodiscard]] std::span<const Harness> harnesses() noexcept;

/// Ends the process where a promise is broken.
inline void require(bool kept, const char* promise) {
  if (kept) return;
  std::fprintf(stderr, "broken: %s\n", promise);
  std::abort();
}

/// Runs `use`; an Error is an answer if it says something. Returns whether there was none.
template <class Use>
bool answered(Use&& use) {
  try {
    use();
    return true;
  } catch (const Error& error) {
    if (std::strlen(error.what()) <= 10) std::fprintf(stderr, "the error: %s\n", error.what());
    require(std::strlen(error.what()) > 10, "an error says what is wrong");
    return false;
  }
}

inline Bytes bytes_of(std::string_view text) {
  const auto* const begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}
inline std::string_view text_of(View bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// In fuzz_values.cpp, fuzz_fits.cpp, fuzz_blocks.cpp and fuzz_definitions.cpp.
void fuzz_vector_blob(View input);
isovec::Buffer<Bytes> vector_blob_seeds();
void fuzz_vector_json(View input);
isovec::Buffer<Bytes> vector_json_seeds();
void fuzz_npy(View input);
isovec::Buffer<Bytes> npy_seeds();
void fuzz_spec(View input);
isovec::Buffer<Bytes> spec_seeds();
void fuzz_transform(View input);
isovec::Buffer<Bytes> transform_seeds();
void fuzz_statistics(View input);
isovec::Buffer<Bytes> statistics_seeds();
void fuzz_code_block(View input);
isovec::Buffer<Bytes> code_block_seeds();
void fuzz_definition(View input);
isovec::Buffer<Bytes> definition_seeds();

}  // namespace isovec::fuzz
