"""Programs build against an installed isovec that was moved after it was installed: one in C99 that knows only
pkg-config, one in C++ that knows only find_package."""

import os
import shlex
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

CONSUMERS = Path(__file__).resolve().parent / "consumers"
BUILD = Path(os.environ["ISOVEC_BUILD"])
CMAKE = os.environ["ISOVEC_CMAKE"]
VERSION = os.environ["ISOVEC_VERSION"]


def run(*command, **options):
    finished = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    if finished.returncode != 0:
        raise AssertionError(f"{shlex.join(map(str, command))}\n{finished.stdout}{finished.stderr}")
    return finished.stdout


class Consumers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Path(tempfile.mkdtemp(prefix="isovec-consumers-"))
        cls.addClassCleanup(shutil.rmtree, cls.place)
        run(CMAKE, "--install", BUILD, "--prefix", cls.place / "installed")
        cls.prefix = (cls.place / "installed").rename(cls.place / "moved")

    def installed(self, pattern):
        found = sorted(self.prefix.rglob(pattern))
        self.assertEqual(len(found), 1, f"{pattern}: {found}")
        return found[0]

    def test_installed_tree_names_no_directory_of_the_build(self):
        for path in [*self.prefix.rglob("*.cmake"), *self.prefix.rglob("*.pc")]:
            text = path.read_text(encoding="utf-8")
            for place in (str(BUILD), str(CONSUMERS.parent.parent), str(self.place)):
                self.assertNotIn(place, text, path)

    def test_c99_with_pkg_config(self):
        environment = {**os.environ, "PKG_CONFIG_PATH": str(self.installed("isovec.pc").parent)}
        self.assertEqual(run("pkg-config", "--modversion", "isovec", env=environment).strip(), VERSION)
        flags = shlex.split(run("pkg-config", "--cflags", "--libs", "isovec", env=environment))
        program = self.place / "c99"
        run(os.environ.get("CC", "cc"), "-std=c99", "-pedantic-errors", "-Wall", "-Wextra", "-Werror",
            CONSUMERS / "c99/main.c", "-o", program, *flags)
        self.assertEqual(run(program).split(), [f"v{VERSION}", "32.0"])

    def test_cpp_with_find_package(self):
        build = self.place / "cpp"
        run(CMAKE, "-G", "Ninja", "-S", CONSUMERS / "cpp", "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}")
        run(CMAKE, "--build", build)
        self.assertEqual(run(build / "consumer").split(), [f"v{VERSION}", "32.0"])

    def test_module_is_installed_beside_the_library(self):
        library = self.installed("libisovec.a")
        self.assertTrue(list(library.parent.glob("isovec.*o*")) or list(library.parent.glob("isovec.dylib")))


if __name__ == "__main__":
    unittest.main()
