"""Tests under a newer SQLite than the system's: PyPI's apsw brings one as a shared library, which takes the place of the
system's in this same Python, or in a program:

    python3 tests/newest_sqlite.py PROGRAM [ARGUMENT...]
"""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import sqlite_shell

PACKAGE = "apsw==3.54.1.0"
VERSION = "3.54.1"
FOLDER = Path(os.environ.get("ISOVEC_BUILD", sqlite_shell.PROJECT / "build/release")) / "apsw"


def library():
    """Where the library is; the package is installed below the build directory once."""
    path = FOLDER / "apsw/sqlite_extra_binaries/libsqlite3_tool.so"
    if not path.exists():
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade", "--target", FOLDER, PACKAGE],
            check=True,
            env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        )
    return path


def require():
    """Starts this program again under the newer SQLite, unless it runs there already."""
    if sqlite3.sqlite_version == VERSION:
        return
    if os.environ.get("ISOVEC_NEWEST"):
        raise SystemExit(f"SQLite {VERSION} did not take the place of {sqlite3.sqlite_version}")
    run([sys.executable, *sys.argv])


def run(command):
    """Becomes the command, under the newer SQLite."""
    preload = " ".join(filter(None, [str(library()), os.environ.get("LD_PRELOAD")]))
    os.execve(command[0], command, {**os.environ, "LD_PRELOAD": preload, "ISOVEC_NEWEST": "1"})


if __name__ == "__main__":
    run(sys.argv[1:])
