#!/usr/bin/env bash
# Builds the test of threads with ThreadSanitizer and runs it:
#   bash tests/threads.sh [rounds]
# Writes only below build/tsan.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cmake --preset tsan >/dev/null
cmake --build build/tsan --target surface_threads_test
ISOVEC_THREAD_ROUNDS=${1:-10} TSAN_OPTIONS=halt_on_error=1 build/tsan/tests/surface_threads_test
