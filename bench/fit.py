#!/usr/bin/env python3
"""Fitting and applying transforms in SQL, beside scikit-learn, faiss and NumPy: the same rows, one thread each.

    python3 bench/fit.py build/release/isovec.so [--rows 50000] [--rounds 3] [--dimensions 384,768,1536] [--only fit]

Installs scikit-learn and faiss (from PyPI) into a virtual environment beside the module, once. Prints one line a
measure: the figure, the peer's, their ratio, and the bar that it is held to. Times are medians over the rounds, in
which isovec and its peers take turns; memory is what a process that only fits takes at its peak beyond what it
took before. Run it on an idle machine.
"""
import argparse
import io
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PACKAGES = ["numpy==2.2.6", "scikit-learn==1.5.2", "faiss-cpu==1.9.0"]
SPECS = ["none", "center", "standardize", "project_mean", "remove_top", "remove_top drop=3", "pca k=256", "whiten",
         "whiten k=256", "whiten eps=.1", "whiten eps=1", "whiten shrinkage=oas", "whiten power=.25",
         "whiten basis=cholesky", "whiten basis=zca-cor", "whiten basis=pca-cor k=256"]
# Bars: the ratio to scikit-learn and to faiss, by dimension and precision.
BARS = {("double", 384): (4, 1), ("double", 768): (4, 1), ("double", 1536): (4, 0.8),
        ("float", 384): (2, 0.6), ("float", 768): (2, 0.6), ("float", 1536): (3, 0.6)}


def enter_environment(module):
    """Runs this script again under a Python that has the peers, on one thread."""
    folder = module.parent / "fit-venv"
    python = folder / "bin" / "python"
    if Path(sys.prefix).resolve() == folder.resolve():
        return
    if not (folder / "complete").exists():
        subprocess.check_call([sys.executable, "-m", "venv", folder])
        subprocess.check_call([python, "-m", "pip", "install", "--quiet", *PACKAGES])
        (folder / "complete").touch()
    threads = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    os.execve(python, [str(python), *sys.argv], {**os.environ, **threads})


def connect(module, path=":memory:"):
    db = sqlite3.connect(path)
    db.enable_load_extension(True)
    db.load_extension(str(module.with_suffix("")))
    return db


def file_of(array):
    import numpy
    buffer = io.BytesIO()
    numpy.save(buffer, array)
    return buffer.getvalue()


def make_rows(count, dimension, offset=1.0):
    """Rows about a mean, with standard deviations from 1 to 0.1 and 16 directions that all coordinates share."""
    import numpy
    random = numpy.random.default_rng(dimension)
    shared = random.standard_normal((16, dimension)).astype(numpy.float32)
    x = random.standard_normal((count, dimension), dtype=numpy.float32)
    x *= numpy.linspace(1, 0.1, dimension, dtype=numpy.float32)
    x += random.standard_normal((count, 16), dtype=numpy.float32) @ shared
    x += numpy.float32(offset)
    return x


def store(module, path, x):
    db = connect(module, path)
    db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB)")
    with db:
        db.executemany("INSERT INTO t(v) VALUES (?)", ((row.tobytes(),) for row in x))
    db.execute("PRAGMA cache_size=-600000")
    db.execute("SELECT sum(length(v)) FROM t").fetchone()
    return db


def seconds(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def medians(actions, rounds):
    """The median seconds of each action; they take turns, and a first turn that only fills caches is not counted."""
    times = {name: [] for name in actions}
    for turn in range(rounds + 1):
        for name, action in actions.items():
            taken = seconds(action)
            if turn > 0 or rounds == 0:
                times[name].append(taken)
    return {name: statistics.median(values) for name, values in times.items()}


def show(title, figure, peer="", ratio=None, bar=""):
    print(f"{title:52} {figure:>12} {peer:>24} {'' if ratio is None else f'{ratio:.2f}':>7} {bar:>8}", flush=True)


def bench_fit(db, x, rounds):
    import faiss
    from sklearn.decomposition import PCA
    dimension = x.shape[1]
    faiss.omp_set_num_threads(1)

    def train_faiss():
        pca = faiss.PCAMatrix(dimension, dimension, -0.5)
        pca.max_points_per_d = len(x)
        pca.train(x)

    taken = medians({
        "double": lambda: db.execute("SELECT vec_fit(v, 'whiten') FROM t").fetchone(),
        "float": lambda: db.execute("SELECT vec_fit(v, 'whiten precision=float') FROM t").fetchone(),
        "scikit-learn": lambda: PCA(whiten=True, svd_solver="covariance_eigh").fit(x),
        "faiss": train_faiss,
    }, rounds)
    for precision in ("double", "float"):
        bars = BARS.get((precision, dimension), ("", ""))
        for peer, bar in zip(("scikit-learn", "faiss"), bars):
            show(f"whiten {precision}, {len(x)} rows, d = {dimension}", f"{taken[precision]:.3f} s",
                 f"{peer} {taken[peer]:.3f} s", taken[precision] / taken[peer], f"<= {bar}")


def bench_specs(db, dimension):
    db.execute("CREATE TEMP TABLE s AS SELECT vec_stats(v) AS s FROM t")

    def count():
        text = db.execute("SELECT vec_debug()").fetchone()[0]
        return int(text.split("Eigendecompositions of statistics: ")[1].split()[0])

    before = count()
    taken = seconds(lambda: [db.execute("SELECT vec_fit_stats(s, ?) FROM s", (spec,)).fetchone() for spec in SPECS])
    show(f"{len(SPECS)} specs from one BLOB, d = {dimension}", f"{taken:.2f} s", bar="<= 2.5")
    show("  eigendecompositions", str(count() - before), bar="<= 2")
    db.execute("DROP TABLE s")


def bench_apply(db, x, rounds):
    import numpy
    dimension = x.shape[1]
    db.execute("CREATE TEMP TABLE f AS SELECT vec_fit(v, 'whiten') AS T FROM t")
    w = numpy.load(io.BytesIO(db.execute("SELECT vec_transform_matrix(T) FROM f").fetchone()[0])).astype("<f4")
    z = numpy.empty(dimension, dtype=numpy.float32)

    def gemv():
        for row in x:
            numpy.dot(w, row, out=z)

    transform = db.execute("SELECT T FROM f").fetchone()[0]
    forms = {
        "vec_transform, bound parameter": "SELECT count(vec_transform(v, :T)) FROM t",
        "vec_transform, scalar subquery": "SELECT count(vec_transform(v, (SELECT T FROM f))) FROM t",
        "vec_transform, joined column": "SELECT count(vec_transform(v, T)) FROM t, f",
        "vec_cosine(v, q, T), scalar subquery": "SELECT count(vec_cosine(v, (SELECT v FROM t WHERE id = 7), "
                                                "(SELECT T FROM f))) FROM t",
        "vec_distance_l2(v, q, T), scalar subquery": "SELECT count(vec_distance_l2(v, (SELECT v FROM t WHERE id = 7), "
                                                     "(SELECT T FROM f))) FROM t",
    }

    def action(sql):
        bound = {"T": transform} if ":T" in sql else {}
        return lambda: db.execute(sql, bound).fetchone()

    actions = {name: action(sql) for name, sql in forms.items()}
    taken = medians({"gemv": gemv, **actions}, rounds)
    for name in forms:
        a_row, gemv_a_row = (taken[key] / len(x) * 1e6 for key in (name, "gemv"))
        barred = "joined" not in name and name.startswith("vec_transform")
        show(f"{name}, d = {dimension}", f"{a_row:.1f} us", f"numpy gemv {gemv_a_row:.1f} us", a_row / gemv_a_row,
             "<= 1.2" if barred else "")
    db.execute("DROP TABLE f")


FIT_ALONE = """
import re, sqlite3, sys
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) / 1024
db = sqlite3.connect(sys.argv[2])
db.enable_load_extension(True)
db.load_extension(sys.argv[1])
db.execute("SELECT vec_fit(v, 'center') FROM t").fetchone()
before = peak()
db.execute("SELECT vec_fit(v, ?) FROM t", (sys.argv[3],)).fetchone()
print(peak() - before)
"""


def memory_of_fit(module, path, spec):
    """MiB that a fit takes at its peak, in a process of its own."""
    run = subprocess.run([sys.executable, "-c", FIT_ALONE, str(module.with_suffix("")), path, spec],
                         check=True, capture_output=True, text=True)
    return float(run.stdout)


def bench_few_rows(module, folder):
    x = make_rows(500, 8192)
    path = os.path.join(folder, "few.db")
    db = store(module, path, x)
    for spec in ("whiten k=64", "pca k=64"):
        taken = seconds(lambda: db.execute("SELECT vec_fit(v, ?) FROM t", (spec,)).fetchone())
        show(f"{spec}, 500 rows, d = 8192", f"{taken:.2f} s", bar="<= 3")
        show("  memory", f"{memory_of_fit(module, path, spec):.0f} MiB", bar="<= 95")
    db.close()


def bench_accuracy(module):
    """Errors of eigenvalues over the largest one: 600,000 rows, a mean of 30 spreads, condition 1e4."""
    import faiss
    import numpy
    dimension, rows = 64, 600_000
    random = numpy.random.default_rng(3)
    axes, _ = numpy.linalg.qr(random.standard_normal((dimension, dimension)))
    spread = numpy.logspace(0, -2, dimension)
    x = (random.standard_normal((rows, dimension)) * spread @ axes + 30).astype(numpy.float32)
    exact = numpy.zeros((dimension, dimension))
    mean = x.mean(axis=0, dtype=numpy.float64)
    for first in range(0, rows, 10_000):
        y = x[first:first + 10_000].astype(numpy.float64) - mean
        exact += y.T @ y / (rows - 1)
    expected = numpy.linalg.eigvalsh(exact)[::-1]
    db = connect(module)
    db.execute("CREATE TABLE t AS SELECT vector AS v FROM vec_npy(?)", (file_of(x),))
    for precision, bar in (("double", 1e-12), ("float", 1e-8)):
        lines = db.execute("SELECT eigenvalue FROM vec_spectrum((SELECT vec_stats(v, 1, ?) FROM t)) ORDER BY i",
                           (f"precision={precision}",)).fetchall()
        values = numpy.array([line[0] for line in lines])
        error = numpy.abs(values - expected).max() / expected[0]
        show(f"eigenvalues {precision}, {rows} rows, d = {dimension}", f"{error:.1e}", f"smallest {values[-1]:.2e}",
             bar=f"<= {bar:.0e}")
    pca = faiss.PCAMatrix(dimension, dimension)
    pca.max_points_per_d = rows
    pca.train(x)
    values = faiss.vector_to_array(pca.eigenvalues) / (rows - 1)
    show("  faiss PCAMatrix", f"{numpy.abs(values - expected).max() / expected[0]:.1e}", f"smallest {values.min():.2e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("module", type=Path)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dimensions", default="384,768,1536")
    parser.add_argument("--only", default="", help="fit, memory, specs, apply, few or accuracy")
    options = parser.parse_args()
    module = options.module.resolve()
    enter_environment(module)
    wants = lambda name: options.only in ("", name)
    show("measure", "isovec", "peer", bar="bar")
    with tempfile.TemporaryDirectory() as folder:
        for dimension in map(int, options.dimensions.split(",")):
            if options.only in ("few", "accuracy"):
                break
            path = os.path.join(folder, f"{dimension}.db")
            x = make_rows(options.rows, dimension)
            db = store(module, path, x)
            if wants("fit"):
                bench_fit(db, x, options.rounds)
            if wants("memory"):
                bar = "<= 190" if dimension == 1536 else ""
                show(f"memory of a fit, d = {dimension}", f"{memory_of_fit(module, path, 'whiten'):.0f} MiB", bar=bar)
            if dimension == 768 and wants("specs"):
                bench_specs(db, dimension)
            if dimension == 768 and wants("apply"):
                bench_apply(db, x, options.rounds)
            db.close()
            os.remove(path)
        if wants("few"):
            bench_few_rows(module, folder)
    if wants("accuracy"):
        bench_accuracy(module)


if __name__ == "__main__":
    main()
