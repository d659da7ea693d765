"""Every recipe and the README's SQL in the shell of the newest SQLite, as apsw brings it. That shell sets columns another way,
prints floats with all their digits and puts the line in front of an error, so blanks, digits and that are left out of the
comparison. It has no mathematical functions of SQL: what needs one is skipped.
"""

import re
import unittest

import newest_sqlite
import reference
import sqlite_shell

sqlite_shell.SQLITE3 = str(newest_sqlite.library().with_name("sqlite3_shell"))
MISSING = re.compile(r"no such function: (sqrt|exp|ln|log|pow|power|floor|ceil|sin|cos)\b")


def plain(line):
    """A line without what only the shell decides."""
    line = re.sub(r"^(Error|Parse error|Runtime error)( near line \d+)?: ", "", line)
    return re.sub(r"\d+\.\d{13,}", lambda found: f"{float(found[0]):.15g}", " ".join(line.split()))


def compare(test, sql):
    lines, errors = sqlite_shell.promised(sql)
    printed = sqlite_shell.run(sql)
    absent = [found[1] for found in map(MISSING.search, printed.errors) if found]
    if absent:
        test.skipTest(f"this shell has no {absent[0]}()")
    test.assertEqual([plain(line) for line in printed.errors], [plain(line) for line in errors])
    rule = lambda line: set(line) <= {"-", " "}  # below the heads of columns, as wide as they are
    test.assertEqual(
        [plain(line) for line in printed.lines if not rule(line)], [plain(line) for line in lines if not rule(line)]
    )


class NewestRecipes(unittest.TestCase):
    def test_readme(self):
        text = "".join(reference.around(reference.README.read_text(encoding="utf-8")))
        compare(self, "\n".join(re.findall(r"^```sql\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)))


def promise(path):
    return lambda test: compare(test, path.read_text(encoding="utf-8"))


for recipe in sorted((sqlite_shell.PROJECT / "sql").glob("*.sql")):
    setattr(NewestRecipes, f"test_{recipe.stem}", promise(recipe))

if __name__ == "__main__":
    unittest.main()
