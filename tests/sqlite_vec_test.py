"""Moving from sqlite-vec: with PyPI's sqlite-vec loaded beside isovec a vec0 table is copied by one INSERT ... SELECT,
and the scalar SQL of its users gives the same here, but for the differences that the README lists."""

import os
import random
import sqlite3
import struct
import subprocess
import sys
import unittest
from pathlib import Path

import sqlite_shell

PACKAGE = "sqlite-vec==0.1.9"
FOLDER = Path(os.environ.get("ISOVEC_BUILD", sqlite_shell.PROJECT / "build/release")) / "sqlite-vec"
DIMENSIONS = 16


def sqlite_vec():
    """Where sqlite-vec is, without the suffix; installed below the build directory once."""
    module = FOLDER / "sqlite_vec" / "vec0"
    if not module.with_suffix(".so").exists():
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade", "--target", FOLDER, PACKAGE],
            check=True,
            env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        )
    return str(module)


ISOVEC = str(sqlite_shell.MODULE.with_suffix(""))


def connect(*extensions):
    connection = sqlite3.connect(":memory:")
    connection.enable_load_extension(True)
    for extension in extensions:
        connection.load_extension(extension)
    connection.enable_load_extension(False)
    return connection


def blob(numbers):
    return struct.pack(f"<{len(numbers)}f", *numbers)


# Scalar SQL with one right answer in both. The numbers are exact in six decimals, which is all that sqlite-vec prints.
SAME = [
    "vec_to_json(vec_f32('[1.5, -2.25]')) IN ('[1.5,-2.25]', '[1.500000,-2.250000]')",
    "hex(vec_f32('[0.1, 1e-20, 16777217, 3.4e38]'))",
    "hex(vec_f32(x'0000803f00000040'))",
    "hex(vec_int8('[1, -128, 127]'))",
    "vec_to_json(vec_int8('[1, -128, 127]'))",
    "vec_to_json(vec_bit(x'0581'))",
    "vec_length('[1, 2, 3]')",
    "vec_length(vec_bit(x'0102'))",
    "vec_length(vec_int8(x'010203'))",
    "vec_type('[1]')",
    "vec_type(x'0000803f')",
    "vec_type(vec_int8('[1]'))",
    "vec_type(vec_bit(x'01'))",
    "hex(vec_add('[1, 2]', '[3, 4.5]'))",
    "hex(vec_sub('[1, 2]', '[3, 4.5]'))",
    "hex(vec_add(vec_int8('[1, 2]'), vec_int8('[3, -4]')))",
    "hex(vec_slice('[1, 2, 3, 4]', 1, 3))",
    "hex(vec_slice(vec_bit(x'010203'), 8, 24))",
    "hex(vec_slice(vec_int8('[1, 2, 3]'), 0, 2))",
    "hex(vec_normalize('[3, 4]'))",
    "hex(vec_quantize_binary('[1, -1, 2, 0, 3, -3, 4, 5]'))",
    "hex(vec_quantize_binary(vec_int8('[1, -1, 2, 0, 3, -3, 4, 5]')))",
    "hex(vec_quantize_int8('[-1, -0.3, 0, 0.1, 0.5, 0.77, 0.999, 1]', 'unit'))",
    "vec_distance_l2('[1, 2]', '[4, 6]')",
    "vec_distance_l1('[1, 2]', '[4, 6.5]')",
    "vec_distance_cosine('[1, 0]', '[0, 1]')",
    "vec_distance_cosine('[0, 0]', '[0, 1]') IS NULL",
    "vec_distance_l2(vec_int8('[1, 2]'), vec_int8('[4, 6]'))",
    "vec_distance_hamming(vec_bit(x'0f'), vec_bit(x'3c'))",
    "(SELECT group_concat(rowid || ':' || value) FROM vec_each('[1.5, 2]'))",
    "(SELECT group_concat(rowid || ':' || value) FROM vec_each(vec_int8('[1, -2]')))",
    "vec_debug() LIKE '%' || char(10) || 'Build flags:%'",
]

# Where they part, on purpose: SQL, sqlite-vec's answer, isovec's. An error is its message.
DIFFERENT = [
    ("vec_to_json(vec_f32('[0.1, 1e-10]'))", "[0.100000,0.000000]", "[0.1,1e-10]"),
    ("vec_length('[1 2]')", 2, "vec_length: not a JSON array of numbers: expected ',' or ']' at byte 3, found '2'"),
    ("vec_length('[1,,2]')", 2, "vec_length: not a JSON array of numbers: expected a number at byte 3, found ','"),
    ("vec_length('[1,2')", 2, "vec_length: not a JSON array of numbers: expected ',' or ']' at byte 4, where the text ends"),
    ("hex(vec_f32(x'0000c07f'))", "0000C07F", "vec_f32: element 0 is NaN: a vector holds finite numbers only"),
    (
        "hex(vec_add(vec_int8('[100]'), vec_int8('[100]')))",
        "C8",
        "vec_add: element 0 is 200, no integer of -128 to 127; vec_quantize_int8(v, 'unit') makes int8 of float32",
    ),
    (
        "vec_length(NULL)",
        "Input must have type BLOB (compact format) or TEXT (JSON), found NULL",
        None,
    ),
    ("hex(vec_normalize('[0, 0]'))", "0000C0FF0000C0FF", ""),
    ("hex(vec_f32(vec_int8(x'0000803f')))", "0000803F", "0000000000000000000000C300007C42"),
    ("(SELECT group_concat(value, '') FROM vec_each(vec_bit(x'07')))", "00000111", "11100000"),
    ("typeof(vec_distance_l1(vec_int8('[1]'), vec_int8('[3]')))", "integer", "real"),
]


class MovingFromSqliteVec(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.theirs = connect(sqlite_vec())
        cls.ours = connect(ISOVEC)

    def answer(self, connection, expression):
        try:
            return connection.execute(f"SELECT {expression}").fetchone()[0]
        except sqlite3.OperationalError as error:
            return str(error)

    def test_scalar_sql_gives_the_same(self):
        for expression in SAME:
            with self.subTest(expression):
                theirs, ours = self.answer(self.theirs, expression), self.answer(self.ours, expression)
                self.assertNotIn("no such", str(theirs))
                self.assertEqual(theirs, ours)

    def test_differences_are_those_listed(self):
        for expression, theirs, ours in DIFFERENT:
            with self.subTest(expression):
                self.assertEqual(self.answer(self.theirs, expression), theirs)
                self.assertEqual(self.answer(self.ours, expression), ours)

    def test_distances_agree_on_random_vectors(self):
        generator = random.Random(1)
        for _ in range(200):
            a, b = (blob([generator.gauss(0, 1) for _ in range(DIMENSIONS)]) for _ in range(2))
            for function in ("vec_distance_l2", "vec_distance_l1", "vec_distance_cosine"):
                theirs, ours = (c.execute(f"SELECT {function}(?, ?)", (a, b)).fetchone()[0] for c in (self.theirs, self.ours))
                self.assertAlmostEqual(theirs, ours, delta=1e-6 * max(1, abs(theirs)))
            quantized = [c.execute("SELECT hex(vec_quantize_int8(vec_normalize(?), 'unit'))", (a,)).fetchone()[0]
                         for c in (self.theirs, self.ours)]
            # One unit in the last place of the norm may turn a level.
            for theirs, ours in zip(bytes.fromhex(quantized[0]), bytes.fromhex(quantized[1])):
                self.assertIn((theirs - ours) % 256, (0, 1, 255))

    def test_a_vec0_table_is_copied_by_one_statement(self):
        db = connect(sqlite_vec(), ISOVEC)
        columns = f"""id INTEGER PRIMARY KEY, embedding float[{DIMENSIONS}] distance_metric=cosine,
                      tenant TEXT PARTITION KEY, year INTEGER, +body TEXT"""
        db.execute(f"CREATE VIRTUAL TABLE old USING vec0({columns})")
        generator = random.Random(2)
        for i in range(200):
            db.execute(
                "INSERT INTO old(id, embedding, tenant, year, body) VALUES (?, ?, ?, ?, ?)",
                (3 * i + 1, blob([generator.gauss(0, 1) for _ in range(DIMENSIONS)]), "ab"[i % 2], 2000 + i % 25, f"text {i}"),
            )
        db.execute("DELETE FROM old WHERE id = 31")
        db.execute(f"CREATE VIRTUAL TABLE new USING isovec({columns})")
        names = "id, embedding, tenant, year, body"
        db.execute(f"INSERT INTO new({names}) SELECT {names} FROM old")
        everything = "SELECT id, embedding, tenant, year, body FROM {} ORDER BY id"
        self.assertEqual(db.execute(everything.format("old")).fetchall(), db.execute(everything.format("new")).fetchall())
        for condition in ("", "AND tenant = 'a'", "AND tenant = 'b' AND year >= 2010"):
            query = blob([generator.gauss(0, 1) for _ in range(DIMENSIONS)])
            nearest = f"SELECT id, distance FROM {{}} WHERE embedding MATCH ? AND k = 10 {condition} ORDER BY distance"
            old = db.execute(nearest.format("old"), (query,)).fetchall()
            new = db.execute(nearest.format("new"), (query,)).fetchall()
            self.assertEqual([row[0] for row in old], [row[0] for row in new])
            for theirs, ours in zip(old, new):
                self.assertAlmostEqual(theirs[1], ours[1], delta=1e-6)
        db.execute("DROP TABLE old")
        self.assertEqual(db.execute("SELECT count(*) FROM new").fetchone(), (199,))

    def test_int8_and_bit_columns_and_l1_move_too(self):
        db = connect(sqlite_vec(), ISOVEC)
        n = DIMENSIONS
        columns = f"""id INTEGER PRIMARY KEY, near INT8[{n}] distance_metric=cosine, far int8[{n}] distance_metric=l2,
                      sum int8[{n}] distance_metric=L1, sign bit[{4 * n}], plain float[{n}] distance_metric=l1"""
        db.execute(f"CREATE VIRTUAL TABLE old USING vec0({columns})")
        generator = random.Random(3)

        def vectors():
            integers = [bytes(generator.randrange(256) for _ in range(n)) for _ in range(3)]
            return [*integers, bytes(generator.randrange(256) for _ in range(n // 2)),
                    blob([generator.gauss(0, 1) for _ in range(n)])]

        typed = "vec_int8(?), vec_int8(?), vec_int8(?), vec_bit(?), vec_f32(?)"
        for i in range(300):
            db.execute(f"INSERT INTO old(id, near, far, sum, sign, plain) VALUES (?, {typed})", (2 * i - 100, *vectors()))
        db.execute(f"CREATE VIRTUAL TABLE new USING isovec({columns})")
        names = "id, near, far, sum, sign, plain"
        db.execute(f"INSERT INTO new({names}) SELECT {names} FROM old")
        everything = f"SELECT {names}, vec_type(near), vec_type(sign), vec_type(plain) FROM {{}} ORDER BY id"
        self.assertEqual(db.execute(everything.format("old")).fetchall(), db.execute(everything.format("new")).fetchall())
        for name, make, query in zip(names.split(", ")[1:], typed.split(", "), vectors()):
            with self.subTest(name):
                # Many are equally far: every row's distance is compared, then that each list ascends.
                nearest = f"SELECT id, distance FROM {{}} WHERE {name} MATCH {make} AND k = 300"
                old, new = (db.execute(nearest.format(table), (query,)).fetchall() for table in ("old", "new"))
                self.assertEqual(len(old), 300)
                self.assertEqual(new, sorted(new, key=lambda row: (row[1], row[0])))
                theirs = dict(old)
                self.assertEqual(theirs.keys(), dict(new).keys())
                for key, ours in new:
                    self.assertAlmostEqual(theirs[key], ours, delta=1e-6 * max(1, ours))
        db.execute("INSERT INTO new(new) VALUES ('integrity-check')")


if __name__ == "__main__":
    unittest.main()
