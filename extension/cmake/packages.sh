# What isovec needs from the machine to be built and tested: the one list, read by sql/quickstart.sh and
# tests/run.sh. `require_packages build` or `require_packages tests` installs what is missing with apt-get, or
# names it and stops where there is no apt-get. Set ISOVEC_PACKAGES=present to skip the look.

has_tool() { command -v "$1" >/dev/null 2>&1; }

# Does the compiler find this header?
has_header() {
  printf '#if !__has_include(<%s>)\n#error missing\n#endif\n' "$1" |
    "${CXX:-c++}" -x c++ -fsyntax-only - 2>/dev/null
}

# The interpreter of the tests: Debian's own, because many others cannot load SQLite extensions.
test_python=${ISOVEC_PYTHON:-/usr/bin/python3}

# One line per requirement: the Debian package, and the command that succeeds where it is there.
build_requirements='
g++             has_tool "${CXX:-c++}"
cmake           has_tool cmake
ninja-build     has_tool ninja
sqlite3         has_tool sqlite3
libsqlite3-dev  has_header sqlite3ext.h
libxsimd-dev    has_header xsimd/xsimd.hpp
libxxhash-dev   has_header xxhash.h
'
test_requirements='
catch2          has_header catch2/catch.hpp || has_header catch2/catch_all.hpp
pkg-config      has_tool pkg-config
python3-pip     "$test_python" -m pip --version
python3-numpy   "$test_python" -c "import numpy, sqlite3"
'

missing_packages() {
  local requirements=$build_requirements package check
  [ "$1" = tests ] && requirements+=$test_requirements
  while read -r package check; do
    [ -z "$package" ] || eval "$check" >/dev/null 2>&1 || echo "$package"
  done <<<"$requirements"
}

apt_get() {
  local root=
  [ "$(id -u)" -eq 0 ] || root=sudo
  $root env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@"
}

require_packages() {
  [ "${ISOVEC_PACKAGES:-}" = present ] && return
  local missing
  missing=$(missing_packages "$1" | paste -s -d ' ' -)
  [ -z "$missing" ] && return
  if ! has_tool apt-get; then
    echo "isovec needs what Debian calls: $missing" >&2
    echo "There is no apt-get here. Install them in this system's own way, and run this again." >&2
    exit 1
  fi
  if [ "$(id -u)" -ne 0 ] && ! has_tool sudo; then
    echo "isovec needs some packages, and there is no sudo. As root: apt-get install $missing" >&2
    exit 1
  fi
  echo "Installing with apt-get: $missing"
  # The package lists of a new machine are empty or old; they are fetched only when the first try fails.
  # shellcheck disable=SC2086  # the names are words
  apt_get install -y --no-install-recommends $missing >/dev/null 2>&1 && return
  # shellcheck disable=SC2086
  apt_get update && apt_get install -y --no-install-recommends $missing >/dev/null && return
  echo "apt-get could not install: $missing" >&2
  exit 1
}
