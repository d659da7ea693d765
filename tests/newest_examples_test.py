"""Every example of vec_help under the newest SQLite, as apsw brings it: it is strict about subtypes (SQLITE_STRICT_SUBTYPE),
so that a function which sets one without having said so when it was registered fails."""

import sys
import unittest

import newest_sqlite
import sqlite_shell

newest_sqlite.library()  # installs the package
sys.path.insert(0, str(newest_sqlite.FOLDER))
import apsw  # noqa: E402


class NewestExamples(unittest.TestCase):
    def setUp(self):
        self.db = apsw.Connection(":memory:")
        self.db.enable_load_extension(True)
        self.db.load_extension(str(sqlite_shell.MODULE))

    def tearDown(self):
        self.db.close()

    def printed(self, sql):
        """As the sqlite3 shell prints rows in its list mode."""

        def text(value):
            if isinstance(value, float):
                return next(self.db.execute("SELECT printf('%!.15g', ?)", (value,)))[0]
            return "" if value is None else str(value)

        return "\n".join("|".join(map(text, row)) for row in self.db.execute(sql).fetchall())

    def test_this_sqlite_is_the_newest_and_strict_about_subtypes(self):
        self.assertEqual(apsw.sqlite_lib_version(), newest_sqlite.VERSION)
        self.assertIn(("STRICT_SUBTYPE",), self.db.execute("PRAGMA compile_options").fetchall())

    def test_examples(self):
        examples = self.db.execute("SELECT name, example, result FROM vec_help").fetchall()
        self.assertGreater(len(examples), 70)
        for name, example, result in examples:
            with self.subTest(name, example=example):
                self.assertEqual(self.printed(example), result)

    def test_subtypes_from_a_table(self):
        self.db.execute("CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float16[2], b bit[8])")
        self.db.execute("INSERT INTO t VALUES (1, '[1, 2]', vec_bit(x'07'))")
        self.assertEqual(self.printed("SELECT vec_to_json(e), vec_to_json(b), vec_type(e) FROM t"),
                         "[1,2]|[1,1,1,0,0,0,0,0]|float16")


if __name__ == "__main__":
    unittest.main()
