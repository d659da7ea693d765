"""The loadable module exports one symbol, brings its C++ library along, and loads in the plain sqlite3 shell."""

import os
import re
import subprocess
import unittest

import sqlite_shell


def output(*command):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout


class Module(unittest.TestCase):
    def test_exports_its_entry_point_and_nothing_else(self):
        symbols = output("nm", "--dynamic", "--defined-only", "--format=posix", sqlite_shell.MODULE)
        self.assertEqual([line.split()[0].split("@")[0] for line in symbols.splitlines()], ["sqlite3_isovec_init"])

    @unittest.skipIf(os.environ.get("ISOVEC_SANITIZE"), "a sanitizer's build needs the sanitizer's libraries")
    def test_needs_the_c_library_alone(self):
        needed = [line.split("[")[1].rstrip("]") for line in output("readelf", "-d", sqlite_shell.MODULE).splitlines()
                  if "(NEEDED)" in line]
        self.assertLessEqual({re.split("[.-]", name)[0] for name in needed}, {"libc", "libm", "ld"})

    def test_loads_by_dot_command_and_by_function(self):
        for load in (".load build/release/isovec", "SELECT load_extension('build/release/isovec') IS NULL;"):
            printed = sqlite_shell.run(load + "\nSELECT vec_version() GLOB 'v[0-9]*.[0-9]*.[0-9]*';")
            self.assertEqual((printed.lines[-1:], printed.errors, printed.status), (["1"], [], 0))

    def test_loads_again_into_the_same_connection(self):
        printed = sqlite_shell.run(".load build/release/isovec\n" * 3 + "SELECT vec_length('[1, 2]');")
        self.assertEqual((printed.lines, printed.errors, printed.status), (["2"], [], 0))


if __name__ == "__main__":
    unittest.main()
