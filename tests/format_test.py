"""The format on disk: a database that is kept, and the same tables made anew.

A table made by a released isovec opens in every later one. Where the second test fails, the format has changed: give it
a new number (kFormat in extension/storage/schema.hpp), read or refuse the old one, and keep the old file beside a new
one, which `python3 tests/format_test.py --write NUMBER` makes. A table with a NULL vector is stored in format 3, any
other in format 2. format2_first.db has the rows of format2.db as isovec stored them before it coded changed rows in the
place of their former codes: the format is the same, since a block says nothing of how it came about.
"""

import os
import shutil
import sqlite3
import sys
import tempfile
import unittest
from pathlib import Path

FIXTURES = Path(__file__).parent / "fixtures"
ROWS = "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {n})"
FORMAT2 = [
    "PRAGMA page_size = 1024",
    "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[4], f float16[3] distance_metric=l2, "
    "g int8[4], part text partition key, year integer indexed, +body text)",
    "CREATE VIRTUAL TABLE s USING isovec(name TEXT PRIMARY KEY, b bit[16])",
    ROWS.format(n=270) + " INSERT INTO t(id, e, f, g, part, year, body) SELECT 3 * i, vec_random(4, i), "
    "vec_f16(vec_random(3, i)), vec_int8('[' || (i % 100) || ',1,2,3]'), 'p' || (i % 3), i % 7, 'body ' || i FROM c",
    "INSERT INTO t(t, transform) SELECT 'transform column=e', "
    "vec_transform_make('[0.5, 0.25, 0, 0]', '[[1, 0, 0, 0], [0, 2, 0, 0], [0, 0, 0.5, 0], [0, 0, 0, 1]]')",
    "UPDATE t SET e = vec_random(4, 1000 + id), body = NULL WHERE id % 10 = 0",
    "DELETE FROM t WHERE id % 7 = 0 AND id < 300",
    ROWS.format(n=5) + " INSERT INTO t(e, f, g, part) SELECT vec_random(4, -i), vec_f16(vec_random(3, -i)), "
    "vec_int8('[1,2,3,4]'), 'new' FROM c",
    "INSERT INTO s VALUES ('one', vec_bit(x'0f01')), ('two', vec_bit(x'ff00'))",
]
FORMAT3 = FORMAT2 + [
    ROWS.format(n=300) + " INSERT INTO t(id, f, g, part) SELECT 2000 + i, CASE WHEN i % 2 THEN vec_f16(vec_random(3, i)) "
    "END, CASE WHEN i < 290 THEN vec_int8('[1,2,3,' || (i % 100) || ']') END, 'later' FROM c",
    "UPDATE t SET e = vec_random(4, id) WHERE id BETWEEN 2100 AND 2150",
    "UPDATE t SET g = NULL WHERE year = 2",
    "DELETE FROM t WHERE id BETWEEN 2010 AND 2020",
    "INSERT INTO s(name) VALUES ('none')",
]
MADE = {2: FORMAT2, 3: FORMAT3}
NEAREST = "SELECT id, round(distance, 6) FROM t WHERE {column} MATCH {query} AND k = 4"
ANSWERS = {
    NEAREST.format(column="e", query="vec_random(4, 77)"): None,
    NEAREST.format(column="f", query="vec_f16(vec_random(3, 77))"): None,
    "SELECT name, distance FROM s WHERE b MATCH vec_bit(x'0f00')": [("one", 1.0), ("two", 4.0)],
    "SELECT count(*), sum(id), max(body) FROM t WHERE part = 'p1' AND year = 3": None,
    "SELECT count(*), count(e), count(f), count(g) FROM t": None,
    "SELECT name, nulls FROM isovec_info('t')": None,
}


def connect(path):
    db = sqlite3.connect(path, isolation_level=None)
    db.enable_load_extension(True)
    db.load_extension(os.environ["ISOVEC_MODULE"])
    return db


def kept_file(number):
    return FIXTURES / f"format{number}.db"


def make(path, number):
    db = connect(path)
    for statement in MADE[number]:
        db.execute(statement)
    return db


def content(db):
    """Everything that is stored, by shadow table and row."""
    stored = {}
    for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB '[ts]_*'").fetchall():
        stored[name] = db.execute(f'SELECT * FROM "{name}" ORDER BY 1').fetchall()
    return stored


class Format(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_the_kept_database_is_read_and_written(self):
        for number in MADE:
            with self.subTest(format=number):
                self.read_and_write(kept_file(number), number)
        self.read_and_write(FIXTURES / "format2_first.db", 2)

    def read_and_write(self, file, number):
        shutil.copy(file, self.folder / "kept.db")
        kept, fresh = connect(self.folder / "kept.db"), make(self.folder / f"fresh-{file.name}", number)
        for table in "ts":
            self.assertEqual(kept.execute("SELECT isovec_check(?)", (table,)).fetchone(), ("ok",))
            stored = kept.execute(f"SELECT value FROM {table}_config WHERE key = 'format'").fetchone()
            self.assertEqual(stored, (number,))
        for sql, expected in ANSWERS.items():
            answer = kept.execute(sql).fetchall()
            self.assertTrue(answer)
            self.assertEqual(answer, expected or fresh.execute(sql).fetchall(), sql)
        # Brute force over the stored vectors themselves.
        brute = kept.execute(
            "SELECT id FROM t WHERE f IS NOT NULL ORDER BY vec_distance_l2(f, vec_f16(vec_random(3, 77))), id LIMIT 4"
        )
        found = kept.execute(NEAREST.format(column="f", query="vec_f16(vec_random(3, 77))"))
        self.assertEqual([row[0] for row in found], [row[0] for row in brute])
        kept.execute("UPDATE t SET e = vec_random(4, 5) WHERE year = 3")
        kept.execute("UPDATE t SET f = NULL WHERE year = 4")
        kept.execute("INSERT INTO t(t) VALUES ('optimize')")
        self.assertEqual(kept.execute("SELECT isovec_check('t')").fetchone(), ("ok",))
        kept.close()

    def test_the_same_changes_store_the_same_bytes(self):
        for number in MADE:
            kept, made = connect(kept_file(number)), make(self.folder / f"made{number}.db", number)
            expected, stored = content(kept), content(made)
            self.assertEqual(sorted(stored), sorted(expected))
            for table, rows in expected.items():
                self.assertTrue(rows == stored[table], f"{table} is stored otherwise than in format{number}.db")
            self.assertIn("t_codes", {name for name, rows in expected.items() if rows})

    def test_a_table_without_null_vectors_is_stored_in_the_first_format_again(self):
        db = make(self.folder / "made.db", 3)
        for column, vector in {"e": "vec_random(4, id)", "f": "vec_f16(vec_random(3, id))", "g": "vec_int8('[1,2,3,4]')"}.items():
            db.execute(f"UPDATE t SET {column} = {vector} WHERE {column} IS NULL")
        self.assertEqual(db.execute("SELECT value FROM t_config WHERE key = 'format'").fetchone(), (2,))
        self.assertEqual(db.execute("SELECT isovec_check('t')").fetchone(), ("ok",))


if __name__ == "__main__":
    if "--write" in sys.argv:
        number = int(sys.argv[-1])
        kept_file(number).unlink(missing_ok=True)
        make(kept_file(number), number).close()
    else:
        unittest.main()
