"""Runs SQL in the plain sqlite3 shell, and compares what it prints with what the SQL text says it prints.

The conventions of every recipe and of the README's SQL blocks:

    .print "text"    the shell prints text, so text is expected
    --> text         the shell prints text next
    --! text         the shell reports an error with this text

Lines are compared without the blanks at their end, empty lines are left out, and errors (which the shell prints
to another stream) are compared apart from the rest, in their order.
"""

import os
import re
import subprocess
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
MODULE = Path(os.environ.get("ISOVEC_MODULE", PROJECT / "build/release/isovec.so")).resolve()
SQLITE3 = os.environ.get("ISOVEC_SQLITE3", "sqlite3")


class Printed:
    """What a run of the shell printed, line by line."""

    def __init__(self, finished):
        self.lines = meaningful(finished.stdout)
        self.errors = [re.sub(r"^(Parse|Runtime) error[^:]*: ", "", line) for line in meaningful(finished.stderr)]
        self.errors = [re.sub(r" \(\d+\)$", "", line) for line in self.errors]
        self.status = finished.returncode


def meaningful(text):
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def run(sql, *arguments):
    """Runs `sql` in a fresh in-memory database, in a directory where the paths of the recipes lead to the module
    under test and to the project's data."""
    if not MODULE.exists():
        raise SystemExit(f"there is no module at {MODULE}; set ISOVEC_MODULE to it")
    with tempfile.TemporaryDirectory() as place:
        release = Path(place, "build/release")
        release.mkdir(parents=True)
        Path(release, "isovec" + MODULE.suffix).symlink_to(MODULE)
        Path(place, "sql").symlink_to(PROJECT / "sql")
        return Printed(
            subprocess.run(
                [SQLITE3, "-batch", "-init", os.devnull, *arguments, ":memory:"],
                input=sql, cwd=place, capture_output=True, text=True, encoding="utf-8", timeout=600,
            )
        )


def promised(sql):
    """The lines and the errors that an SQL text says it prints."""
    lines, errors = [], []
    for line in sql.splitlines():
        if line.startswith("--> "):
            lines.append(line[4:].rstrip())
        elif line.startswith("--! "):
            errors.append(line[4:].rstrip())
        elif line.startswith(".print "):
            lines.append(line[7:].strip().strip("\"'").rstrip())
    return [line for line in lines if line], errors


def check(test, sql):
    """Runs `sql` and fails `test` where it prints something other than it says."""
    lines, errors = promised(sql)
    test.assertTrue(lines or errors, "it promises no output, so nothing would be checked")
    printed = run(sql)
    test.assertEqual(printed.errors, errors)
    test.assertEqual(printed.lines, lines)
