#!/usr/bin/env bash
# Runs the long forms of all campaigns, one after the other at low priority, until the hours are over or one finds
# something, and adds a line a round to build/campaigns/results.tsv:
#   bash tests/campaigns.sh [hours [campaign...]]
# `bash tests/campaigns.sh sums` prints what has been done so far as a table. Needs what tests/run.sh needs, and clang
# for the fuzzers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
results=build/campaigns/results.tsv
. extension/cmake/packages.sh
export ISOVEC_PYTHON=$test_python
[ "${1:-}" = sums ] && exec "$test_python" tests/campaigns.py "$results" --sums
require_packages tests
has_tool ccache && export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
for preset in dev release; do
  cmake --preset "$preset" -DISOVEC_PYTHON="$test_python" >/dev/null
  nice -n 19 cmake --build --preset "$preset" >/dev/null
done
hours=${1:-8}
shift || true
exec "$test_python" tests/campaigns.py "$results" --hours "$hours" ${1:+--only "$@"}
