#!/usr/bin/env bash
# Builds isovec and shows it at work on real word vectors, in the plain sqlite3 shell:
#   bash sql/quickstart.sh
# Installs what is missing first (Debian packages; with sudo when not root). Writes only below build/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. extension/cmake/packages.sh
require_packages build

has_tool ccache && export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
[ -f build/release/build.ninja ] || { echo "Configuring."; cmake --preset release >/dev/null; }
echo "Building the extension; the first time takes a minute or two."
cmake --build --preset release --target isovec_module
exec sqlite3 -batch -bail -init /dev/null :memory: <sql/quickstart.sql
