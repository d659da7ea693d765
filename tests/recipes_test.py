"""Every recipe below sql/ prints, in the plain sqlite3 shell, exactly what it says it prints: one case for each."""

import unittest

import sqlite_shell


class Recipes(unittest.TestCase):
    pass


def promise(path):
    def test(self):
        sqlite_shell.check(self, path.read_text(encoding="utf-8"))

    return test


for recipe in sorted((sqlite_shell.PROJECT / "sql").glob("*.sql")):
    setattr(Recipes, f"test_{recipe.stem}", promise(recipe))

if __name__ == "__main__":
    unittest.main()
