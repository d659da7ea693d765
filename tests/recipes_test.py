"""Every recipe below sql/ prints, in the plain sqlite3 shell, exactly what it says it prints."""

import unittest

import sqlite_shell


class Recipes(unittest.TestCase):
    def test_there_are_recipes(self):
        self.assertIn("quickstart.sql", [path.name for path in (sqlite_shell.PROJECT / "sql").glob("*.sql")])


def promise(path):
    def test(self):
        sqlite_shell.check(self, path.read_text(encoding="utf-8"))

    return test


for recipe in sorted((sqlite_shell.PROJECT / "sql").glob("*.sql")):
    setattr(Recipes, f"test_{recipe.stem}_prints_what_it_says", promise(recipe))

if __name__ == "__main__":
    unittest.main()
