"""Numbers in vectors are those that SQLite's own JSON functions read, JSON5's included, but for hexadecimal ones, NaN and
infinity. Runs under a new SQLite, since JSON5 came with 3.42."""

import itertools
import random
import sqlite3
import struct
import unittest

import newest_sqlite
import sqlite_shell

LARGEST = 3.4028235677973366e38  # what rounds to the largest float32

EDGES = [".1", "1.", "+1", "-.5", "+.5", "-5.", "+5.e1", "1.e2", ".5E-1", "+0", "-0.", ".0", "0.", "00", "01", "-01", "+01",
         "+-1", "--1", "++1", ".", "+.", "-.", ".e1", "1e", "1e+", "1.e", "1..2", "1.2.3", ".1.", "1e1.5", "1e1e1", "0x10",
         "-0x1", "+0xF", "0X1", "0x", "NaN", "Infinity", "-Infinity", "+Infinity", "inf", "+inf", "nan", "QNaN", "SNaN", "e5",
         "1f", "1_0", "1'0", "+", "-", "", "1 e5", "+ 1", "- 1", ". 5", "1 .", "1e 5"]


def connect():
    connection = sqlite3.connect(":memory:")
    connection.enable_load_extension(True)
    connection.load_extension(str(sqlite_shell.MODULE.with_suffix("")))
    return connection


class JsonNumbers(unittest.TestCase):
    def setUp(self):
        self.connection = connect()
        self.addCleanup(self.connection.close)

    def in_sqlite(self, text):
        """What SQLite's JSON reads, None where that is no number."""
        if "x" in text.lower() or "n" in text.lower():  # hexadecimal, NaN and infinity are left out
            return None
        try:
            row = self.connection.execute(
                "SELECT CAST(j ->> 0 AS REAL), json_type(j, '$[0]'), json_array_length(j) FROM (SELECT '[' || ? || ']' AS j)", (text,)
            ).fetchone()
        except sqlite3.OperationalError:
            return None
        return row[0] if row[1] in ("integer", "real") and row[2] == 1 else None

    def in_isovec(self, text):
        try:
            blob = self.connection.execute("SELECT vec_f32('[' || ? || ']')", (text,)).fetchone()[0]
        except sqlite3.OperationalError:
            return None
        return struct.unpack("<f", blob)[0]

    def check(self, text):
        expected, found = self.in_sqlite(text), self.in_isovec(text)
        if expected is not None and abs(expected) > LARGEST:
            expected = None
        elif expected is not None:
            expected = struct.unpack("<f", struct.pack("<f", expected))[0]
        with self.subTest(text):
            self.assertEqual(found, expected)

    def test_edges_of_the_grammar(self):
        for text in EDGES:
            self.check(text)

    def test_every_short_text(self):
        for length in range(1, 5):
            for letters in itertools.product("+-.01e", repeat=length):
                self.check("".join(letters))

    def test_random_texts(self):
        generator = random.Random(1)
        for _ in range(20_000):
            self.check("".join(generator.choice("++--..0012345679eEx") for _ in range(generator.randint(4, 9))))


if __name__ == "__main__":
    newest_sqlite.require()
    unittest.main()
