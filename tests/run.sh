#!/usr/bin/env bash
# Builds isovec and runs every test:
#   bash tests/run.sh
# Installs what is missing first (Debian packages; with sudo when not root). Writes only below build/.
# The last line counts the tests; the exit status is zero only when none failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. extension/cmake/packages.sh
require_packages tests

has_tool ccache && export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
jobs=$(getconf _NPROCESSORS_ONLN)
results=build/test-results
mkdir -p "$results" && rm -f "$results"/*.xml
passed=0
failed=0

# build PRESET: configures and builds; a failure counts as one failed test.
build() {
  echo "== Building $1"
  cmake --preset "$1" -DISOVEC_PYTHON="$test_python" >"$results/$1-configure.log" 2>&1 &&
    cmake --build --preset "$1" >"$results/$1-build.log" 2>&1 && return
  tail -n 40 "$results/$1-configure.log" "$results/$1-build.log" 2>/dev/null
  failed=$((failed + 1))
  return 1
}

# An attribute of the suite in CTest's report.
attribute() { sed -n "s/^[[:space:]]*$2=\"\([0-9]*\)\".*/\1/p" "$1" | head -n 1; }

# run_tests PRESET CTEST-ARGUMENT...: a test that did not run counts as failed.
run_tests() {
  local preset=$1 report=$PWD/$results/$1.xml total failures skipped disabled
  shift
  echo "== Testing $preset"
  ctest --preset "$preset" --progress -j "$jobs" --output-junit "$report" "$@" >"$results/$preset-test.log" 2>&1 ||
    cat "$results/$preset-test.log"
  if [ ! -f "$report" ]; then
    failed=$((failed + 1))
    return
  fi
  total=$(attribute "$report" tests)
  failures=$(attribute "$report" failures)
  skipped=$(attribute "$report" skipped)
  disabled=$(attribute "$report" disabled)
  failed=$((failed + failures + skipped + disabled))
  passed=$((passed + total - failures - skipped - disabled))
}

# dev-sse2 is the dev build with every kernel but the baseline's switched off. What does not depend on kernels
# (labelled structure), and what repeats one product over very many rows, is not run twice. Under sanitizers,
# ten times slower, the tests that repeat one piece of arithmetic over very many rows are left to the builds
# above.
arithmetic='recipe_(duplicates|hubness|query_mean|retrieval)|beyond 16,384 rows'
products='beyond 16,384 rows|^interchange'
build dev && run_tests dev && run_tests dev-sse2 --label-exclude structure --exclude-regex "$products"
build asan && run_tests asan --exclude-regex "$arithmetic"

echo "isovec: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
