"""Transforms cross to and from scikit-learn, faiss and plain NumPy: z = (x - mean) @ W.T is the same on both sides."""

import io
import os
import sqlite3
import subprocess
import sys
import unittest
from pathlib import Path

import sqlite_shell

PACKAGES = ["numpy==2.2.6", "scikit-learn==1.5.2", "faiss-cpu==1.9.0"]
FOLDER = Path(os.environ.get("ISOVEC_BUILD", sqlite_shell.PROJECT / "build/release")) / "interchange"


def install():
    """Installs the libraries below the build directory, once, and puts them before those of the system."""
    complete = FOLDER / "complete"
    if not complete.exists():
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--target", FOLDER, *PACKAGES],
            check=True,
            env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        )
        complete.touch()
    sys.path.insert(0, str(FOLDER))


install()
import faiss
import numpy as np
from sklearn.decomposition import PCA

ROWS, DIMENSIONS, KEPT = 2000, 64, 24
FLOAT32 = 2.0**-24  # what rounding a float64 to float32 changes, relative to its size
AGREEMENT = 1e-6  # of the largest |z|


def rows(offset):
    """Normal rows with standard deviations from 1 to 0.3 in rotated axes, about a mean of `offset` in each coordinate."""
    random = np.random.default_rng(11)
    axes, _ = np.linalg.qr(random.standard_normal((DIMENSIONS, DIMENSIONS)))
    spread = np.linspace(1, 0.3, DIMENSIONS)
    return (random.standard_normal((ROWS, DIMENSIONS)) * spread @ axes + offset).astype(np.float32)


def file_of(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def same_signs(components, reference):
    """`components` with each row multiplied by -1 where it points away from that of `reference`."""
    return components * np.sign(np.sum(components * reference, axis=1))[:, None]


class Interchange(unittest.TestCase):
    def setUp(self):
        self.connection = sqlite3.connect(":memory:")
        self.addCleanup(self.connection.close)
        self.connection.enable_load_extension(True)
        self.connection.load_extension(str(sqlite_shell.MODULE.with_suffix("")))

    def one(self, sql, *arguments):
        return self.connection.execute(sql, arguments).fetchone()[0]

    def fit(self, x, spec):
        return self.one("SELECT vec_fit(vector, ?2) FROM vec_npy(?1)", file_of(x), spec)

    def exported(self, transform):
        """The mean and the matrix of a transform, as NumPy reads them."""
        mean = np.load(io.BytesIO(self.one("SELECT vec_transform_mean(?)", transform)))
        matrix = np.load(io.BytesIO(self.one("SELECT vec_transform_matrix(?)", transform)))
        self.assertEqual((mean.dtype, matrix.dtype), (np.float64, np.float64))
        self.assertEqual((mean.shape, matrix.shape[1]), ((DIMENSIONS,), DIMENSIONS))
        return mean, matrix

    def imported(self, mean, matrix):
        return self.one("SELECT vec_transform_make(?, ?)", file_of(mean), file_of(matrix))

    def applied(self, transform, x):
        """z as isovec makes it."""
        z = self.connection.execute("SELECT vec_transform(vector, ?2) FROM vec_npy(?1)", (file_of(x), transform)).fetchall()
        return np.array([np.frombuffer(row[0], dtype="<f4") for row in z])

    def assert_agree(self, z, expected, bound=AGREEMENT):
        self.assertEqual(z.shape, expected.shape)
        np.testing.assert_allclose(z, expected, rtol=0, atol=bound * np.abs(expected).max())

    def check_both_ways(self, x, spec, mean, matrix, z):
        """Their mean and matrix give their z here; ours give it there; and both say the same."""
        self.assert_agree(self.applied(self.imported(mean, matrix), x), z)
        transform = self.fit(x, spec)
        our_mean, our_matrix = self.exported(transform)
        our_z = (x.astype(np.float64) - our_mean) @ our_matrix.T
        self.assert_agree(self.applied(transform, x), our_z)
        self.assert_agree(our_z, z)

    def test_scikit_learns_whitening(self):
        for offset in (0, 30):
            for kept, spec in ((DIMENSIONS, "whiten basis=pca"), (KEPT, f"whiten k={KEPT}")):
                with self.subTest(offset=offset, spec=spec):
                    x = rows(offset)
                    pca = PCA(kept, whiten=True, svd_solver="full").fit(x.astype(np.float64))
                    _, ours = self.exported(self.fit(x, spec))
                    directions = same_signs(pca.components_, ours)
                    matrix = directions / np.sqrt(pca.explained_variance_)[:, None]
                    pca.components_ = directions
                    self.check_both_ways(x, spec, pca.mean_, matrix, pca.transform(x.astype(np.float64)))

    def test_scikit_learns_rotation(self):
        x = rows(30)
        pca = PCA(KEPT, svd_solver="full").fit(x.astype(np.float64))
        _, ours = self.exported(self.fit(x, f"pca k={KEPT}"))
        pca.components_ = same_signs(pca.components_, ours)
        self.check_both_ways(x, f"pca k={KEPT}", pca.mean_, pca.components_, pca.transform(x.astype(np.float64)))

    def test_few_rows_in_many_dimensions(self):
        # 500 rows of 8,192 dimensions: fitted from the products of the rows with one another.
        dimensions, kept = 8192, 64
        random = np.random.default_rng(12)
        spread = np.linspace(2, 0.1, dimensions)
        x = (random.standard_normal((500, dimensions)) * spread + 3).astype(np.float32)
        pca = PCA(kept, whiten=True, svd_solver="full").fit(x.astype(np.float64))
        for spec, scale in ((f"whiten k={kept}", 1 / np.sqrt(pca.explained_variance_)), (f"pca k={kept}", np.ones(kept))):
            with self.subTest(spec=spec):
                transform = self.fit(x, spec)
                mean = np.load(io.BytesIO(self.one("SELECT vec_transform_mean(?)", transform)))
                matrix = np.load(io.BytesIO(self.one("SELECT vec_transform_matrix(?)", transform)))
                directions = same_signs(pca.components_, matrix) * scale[:, None]
                wide = x.astype(np.float64)
                self.assert_agree((wide - mean) @ matrix.T, (wide - pca.mean_) @ directions.T)
                self.assert_agree(self.applied(transform, x[:20]), (wide[:20] - mean) @ matrix.T, 4e-6)

    def test_a_whitening_written_by_hand(self):
        for offset in (0, 30):
            with self.subTest(offset=offset):
                x = rows(offset)
                wide = x.astype(np.float64)
                values, vectors = np.linalg.eigh(np.cov(wide, rowvar=False))
                matrix = vectors / np.sqrt(values) @ vectors.T
                mean = wide.mean(axis=0)
                self.check_both_ways(x, "whiten", mean, matrix, (wide - mean) @ matrix.T)

    def test_faiss_is_imported_with_its_own_numbers(self):
        # faiss keeps A and b = -A mean in float32 and divides by the scatter, not by n - 1.
        for offset in (0, 30):
            with self.subTest(offset=offset):
                x = rows(offset)
                pca = faiss.PCAMatrix(DIMENSIONS, KEPT, -0.5)
                pca.train(x)
                matrix = faiss.vector_to_array(pca.A).reshape(KEPT, DIMENSIONS).astype(np.float64)
                mean = faiss.vector_to_array(pca.mean).astype(np.float64)
                z = self.applied(self.imported(mean, matrix), x)
                self.assert_agree(z, (x.astype(np.float64) - mean) @ matrix.T)
                # What A x + b loses in float32 grows with the mean: its sums, and b as it was rounded.
                size = np.abs(x) @ np.abs(matrix).T + np.abs(mean) @ np.abs(matrix).T
                self.assertTrue(np.all(np.abs(z - pca.apply(x)) <= 2 * np.sqrt(DIMENSIONS) * FLOAT32 * size))
                if offset == 0:
                    self.assert_agree(z, pca.apply(x))

    def test_faiss_takes_a_transform(self):
        x = rows(0)
        transform = self.fit(x, f"whiten k={KEPT}")
        mean, matrix = self.exported(transform)
        linear = faiss.LinearTransform(DIMENSIONS, KEPT, True)
        faiss.copy_array_to_vector(matrix.astype(np.float32).ravel(), linear.A)
        faiss.copy_array_to_vector((-matrix @ mean).astype(np.float32), linear.b)
        linear.is_trained = True
        self.assert_agree(linear.apply(x), self.applied(transform, x))

    def test_faiss_finds_the_same_whitening(self):
        x = rows(0)
        pca = faiss.PCAMatrix(DIMENSIONS, KEPT, -0.5)
        pca.train(x)
        _, ours = self.exported(self.fit(x, f"whiten k={KEPT}"))
        theirs = faiss.vector_to_array(pca.A).reshape(KEPT, DIMENSIONS).astype(np.float64) * np.sqrt(ROWS - 1)
        # It sums in float32, which turns a direction by that error over the gap to the next eigenvalue.
        np.testing.assert_allclose(np.linalg.norm(theirs, axis=1), np.linalg.norm(ours, axis=1), rtol=1e-5)
        self.assert_agree(same_signs(theirs, ours), ours, 1e-3)


if __name__ == "__main__":
    unittest.main()
