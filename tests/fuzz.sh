#!/usr/bin/env bash
# Builds the fuzz harnesses with clang, AddressSanitizer and UndefinedBehaviorSanitizer, and runs each:
#   bash tests/fuzz.sh [seconds-per-harness [harness...]]
# Keeps what it learns in build/fuzz/corpus; an input that breaks a promise is left in build/fuzz/found.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-60}
shift || true
harnesses=${*:-vector_blob vector_json npy spec transform statistics code_block definition}
CC=clang CXX=clang++ cmake -G Ninja -S . -B build/fuzz -DCMAKE_BUILD_TYPE=RelWithDebInfo \
  -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1 -fsanitize=fuzzer-no-link" -DISOVEC_BUILD_BENCH=OFF \
  -DISOVEC_SANITIZE=address,undefined -DISOVEC_FUZZ=ON >/dev/null
cmake --build build/fuzz --target isovec_fuzz
for harness in $harnesses; do
  echo "== $harness"
  corpus=build/fuzz/corpus/$harness
  mkdir -p "$corpus" build/fuzz/found
  ISOVEC_FUZZ_HARNESS=$harness ISOVEC_FUZZ_SEEDS=$corpus build/fuzz/tests/isovec_fuzz -max_total_time="$seconds" \
    -max_len=4096 -rss_limit_mb=2048 -malloc_limit_mb=512 -timeout=10 -print_final_stats=1 -verbosity=0 \
    -artifact_prefix="build/fuzz/found/$harness-" "$corpus"
done
