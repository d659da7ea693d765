// A harness as a program of libFuzzer. ISOVEC_FUZZ_HARNESS names it; with ISOVEC_FUZZ_SEEDS=directory it
// writes its seeds there first.

#include <fstream>

#include "fuzz/harness.hpp"

namespace {

const isovec::fuzz::Harness* chosen = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* name = std::getenv("ISOVEC_FUZZ_HARNESS");
  for (const isovec::fuzz::Harness& harness : isovec::fuzz::harnesses()) {
    if (name != nullptr && std::string_view(name) == harness.name) chosen = &harness;
  }
  if (chosen == nullptr) {
    std::fprintf(stderr, "ISOVEC_FUZZ_HARNESS must be one of:");
    for (const isovec::fuzz::Harness& harness : isovec::fuzz::harnesses())
      std::fprintf(stderr, " %s", harness.name);
    std::fprintf(stderr, "\n");
    std::exit(1);
  }
  if (const char* directory = std::getenv("ISOVEC_FUZZ_SEEDS")) {
    int number = 0;
    for (const isovec::fuzz::Bytes& seed : chosen->seeds()) {
      std::ofstream file(std::string(directory) + "/seed" + std::to_string(number++), std::ios::binary);
      file.write(reinterpret_cast<const char*>(seed.data()), static_cast<std::streamsize>(seed.size()));
    }
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chosen->run({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
