"""isovec in Debian's Python: NumPy vectors go in as their bytes, and what comes out equals NumPy in float64."""

import io
import sqlite3
import unittest

import numpy as np

import sqlite_shell

ROWS, DIMENSIONS = 300, 24
FLOAT32 = 2.0**-24  # what rounding a float64 to float32 changes, relative to its size


def connect():
    connection = sqlite3.connect(":memory:")
    connection.enable_load_extension(True)
    connection.load_extension(str(sqlite_shell.MODULE.with_suffix("")))
    connection.enable_load_extension(False)
    return connection


def rows():
    """Vectors around a mean, with variances from 1 to 4: anisotropic, and far from singular."""
    random = np.random.default_rng(7)
    spread = np.linspace(1, 2, DIMENSIONS)
    return (random.standard_normal((ROWS, DIMENSIONS)) * spread + 1).astype(np.float32)


def cosines(matrix, query):
    matrix, query = matrix.astype(np.float64), query.astype(np.float64)
    return matrix @ query / np.linalg.norm(matrix, axis=1) / np.linalg.norm(query)


def whitening(matrix):
    """The mean and the zca matrix of a full whitening, in float64."""
    matrix = matrix.astype(np.float64)
    values, vectors = np.linalg.eigh(np.cov(matrix, rowvar=False))
    return matrix.mean(axis=0), vectors / np.sqrt(values) @ vectors.T


class Python(unittest.TestCase):
    def setUp(self):
        self.connection = connect()
        self.addCleanup(self.connection.close)
        self.rows = rows()
        self.connection.execute(
            f"CREATE VIRTUAL TABLE docs USING isovec(id INTEGER PRIMARY KEY, v float[{DIMENSIONS}] transform='whiten')"
        )
        self.connection.executemany("INSERT INTO docs(id, v) VALUES (?, ?)", enumerate(self.rows))

    def one(self, sql, *arguments):
        return self.connection.execute(sql, arguments).fetchone()[0]

    def nearest(self, query, condition="", count=10):
        return self.connection.execute(
            f"SELECT id, distance FROM docs WHERE v MATCH ? AND k = ? {condition} ORDER BY distance", (query, count)
        ).fetchall()

    def assert_nearest(self, found, similarity, bound):
        ids = np.array([row[0] for row in found])
        distances = np.array([row[1] for row in found])
        np.testing.assert_allclose(distances, 1 - similarity[ids], rtol=0, atol=bound)
        self.assertTrue(np.all(np.diff(distances) >= 0))
        others = np.delete(similarity, ids)
        self.assertLessEqual(others.max(), similarity[ids].min() + bound)

    def test_a_stored_vector_is_the_array_that_went_in(self):
        stored = self.one("SELECT v FROM docs WHERE id = 17")
        np.testing.assert_array_equal(np.frombuffer(stored, dtype="<f4"), self.rows[17])

    def test_search_finds_numpys_neighbours(self):
        query = self.rows[3] + self.rows[4]
        found = self.nearest(query, "AND transform = 'none'")
        # A float32 sum of d products is wrong by at most d roundings of the sum of their sizes.
        self.assert_nearest(found, cosines(self.rows, query), 3 * DIMENSIONS * FLOAT32)

    def test_search_after_fit_finds_numpys_whitened_neighbours(self):
        self.connection.execute("INSERT INTO docs(docs) VALUES ('fit')")
        mean, matrix = whitening(self.rows)
        query = self.rows[5]
        found = self.nearest(query)
        white = (self.rows - mean) @ matrix.T
        self.assertEqual(found[0][0], 5)
        self.assert_nearest(found, cosines(white, white[5]), 1e-6)

    def test_a_transform_crosses_to_numpy_and_back(self):
        self.connection.execute("INSERT INTO docs(docs) VALUES ('fit')")
        transform = self.one("SELECT transform FROM docs LIMIT 1")
        mean = np.load(io.BytesIO(self.one("SELECT vec_transform_mean(?)", transform)))
        matrix = np.load(io.BytesIO(self.one("SELECT vec_transform_matrix(?)", transform)))
        expected_mean, expected_matrix = whitening(self.rows)
        np.testing.assert_allclose(mean, expected_mean, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(matrix, expected_matrix, rtol=0, atol=1e-9)
        buffers = [io.BytesIO(), io.BytesIO()]
        for buffer, array in zip(buffers, (mean, matrix)):
            np.save(buffer, array)
        made = self.one("SELECT vec_transform_make(?, ?)", *(buffer.getvalue() for buffer in buffers))
        for blob in (transform, made):
            z = np.frombuffer(self.one("SELECT vec_transform(?, ?)", self.rows[9], blob), dtype="<f4")
            expected = (self.rows[9] - mean) @ matrix.T
            np.testing.assert_allclose(z, expected, rtol=0, atol=2 * FLOAT32 * np.abs(expected).max())

    def test_an_array_file_becomes_rows(self):
        for dtype in ("<f2", "<f4", "<f8"):
            file = io.BytesIO()
            np.save(file, self.rows.astype(dtype))
            read = self.connection.execute("SELECT rowid, vector FROM vec_npy(?)", (file.getvalue(),)).fetchall()
            self.assertEqual([row[0] for row in read], list(range(ROWS)))
            array = np.array([np.frombuffer(row[1], dtype="<f4") for row in read])
            np.testing.assert_array_equal(array, self.rows.astype(dtype).astype(np.float32))

    def test_an_array_of_float64_is_named_for_what_it_is(self):
        with self.assertRaisesRegex(sqlite3.OperationalError, "float64"):
            self.connection.execute("INSERT INTO docs(v) VALUES (?)", (self.rows[0].astype(np.float64),))

    def test_a_damaged_argument_is_an_error_and_loses_nothing(self):
        for value in (b"\x00\x01\x02", np.full(DIMENSIONS, np.nan, dtype="<f4"), "[1, 2", "{}", ""):
            with self.assertRaises(sqlite3.Error):
                self.connection.execute("INSERT INTO docs(v) VALUES (?)", (value,))
        self.assertEqual(self.one("SELECT count(*) FROM docs"), ROWS)


if __name__ == "__main__":
    unittest.main()
