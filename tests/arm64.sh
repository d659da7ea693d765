#!/usr/bin/env bash
# Builds isovec for 64-bit ARM with a cross compiler and runs the tests of its NEON kernels, and of what is stored and
# found with them, under qemu's emulation:
#   bash tests/arm64.sh [ctest arguments]
# Needs the Debian packages g++-aarch64-linux-gnu and qemu-user; libraries it fetches itself, where
# `dpkg --add-architecture arm64` and `apt-get update` have been run. Writes only below build/arm64.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p build/arm64
root=$PWD/build/arm64/root
if [ ! -d "$root" ]; then
  (cd build/arm64 && apt-get -qq download libsqlite3-dev:arm64 libxsimd-dev libxxhash-dev catch2 &&
    for package in *.deb; do dpkg -x "$package" "$root.part"; done && mv "$root.part" "$root")
fi
cmake -S . -B build/arm64 -G Ninja --log-level=WARNING -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG="-O1 -g1" \
  -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_CROSSCOMPILING_EMULATOR="qemu-aarch64;-L;/usr/aarch64-linux-gnu" \
  -DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ \
  -DCMAKE_FIND_ROOT_PATH="$root" -DCMAKE_FIND_ROOT_PATH_MODE_PACKAGE=ONLY -DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY \
  -Dxsimd_DIR="$root/usr/lib/x86_64-linux-gnu/cmake/xsimd" -DSQLite3_LIBRARY="$root/usr/lib/aarch64-linux-gnu/libsqlite3.a" \
  -DISOVEC_BUILD_BENCH=OFF -DISOVEC_WERROR=ON ${CMAKE_CXX_COMPILER_LAUNCHER:+-DCMAKE_CXX_COMPILER_LAUNCHER=$CMAKE_CXX_COMPILER_LAUNCHER}
targets=(core_kernels_test core_kernels_elements_test core_code_kernels_test core_similarity_test core_fit_fixtures_test
  core_fit_test index_block_bounds_test index_bounded_search_test index_scorer_test surface_coded_search_test
  surface_examples_test surface_vector_table_model_test surface_vector_table_types_model_test)
cmake --build build/arm64 --target isovec_module "${targets[@]}"
for target in "${targets[@]}"; do
  echo "== $target"
  qemu-aarch64 -L /usr/aarch64-linux-gnu "build/arm64/tests/$target" "$@"
done
