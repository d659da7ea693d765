#!/usr/bin/env python3
"""Searches and changes of an isovec table beside sqlite-vec, vec1, sqlite-vector and faiss: one process, one thread.

    python3 bench/search.py build/release/isovec.so [--vectors x.npy] [--rows 50000] [--queries 50] [--measure NAME]

Without --vectors it makes a seeded anisotropic clustered set of 768 dimensions. The last 200 vectors are the queries.
Peers come from PyPI into a virtual environment beside the module, once. Databases are files in a temporary folder, in
WAL mode, checkpointed and opened anew before they are read. sqlite-vector's search is approximate, from int8 codes
that it keeps in memory; faiss holds float32 in memory. Prints the median of each measure in milliseconds (or a
rate), and isovec's ratio to each peer. Every answer of isovec is compared with NumPy's float64 first.
"""
import argparse
import os
import random
import statistics
import sys
import tempfile
import time

import peers

PACKAGES = [*peers.PACKAGES, "faiss-cpu", "sqliteai-vector", "matplotlib"]
LARGE_CACHE = "PRAGMA cache_size = -1000000"
DEFAULT_CACHE = "PRAGMA cache_size = -2000"


def made_vectors(rows):
    """Clusters in a cone: a mean three times the spread, variances that fall like 1 / rank."""
    import numpy as np
    random, d = np.random.default_rng(7), 768
    scale = 1 / np.sqrt(1 + np.arange(d))
    centers = random.standard_normal((500, d))
    x = np.empty((rows + 200, d), np.float32)
    for begin in range(0, rows + 200, 50_000):
        part = x[begin:begin + 50_000]
        center = centers[random.integers(0, 500, len(part))]
        part[:] = (8 * (center + 0.7 * random.standard_normal(part.shape)) + 3) * scale
    return x


class Bench:
    def __init__(self, arguments, vectors, folder):
        self.queries, self.x = vectors[-200:], vectors[:-200]
        self.rows, self.d = self.x.shape
        self.arguments, self.folder = arguments, folder
        import sqlite_vector
        self.paths = peers.extension_paths(arguments.module)
        self.paths["sqlite-vector"] = os.path.join(os.path.dirname(sqlite_vector.__file__), "binaries", "vector.so")
        self.results = {}

    def open(self, name, pragma=LARGE_CACHE):
        import apsw
        extension = max((key for key in self.paths if name.startswith(key)), key=len)
        db = apsw.Connection(os.path.join(self.folder, name + ".db"))
        db.enable_load_extension(True)
        db.load_extension(self.paths[extension])
        for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL", pragma):
            db.execute(statement)
        return db

    def record(self, measure, who, value, unit="ms"):
        self.results.setdefault((measure, unit), {})[who] = value

    def time(self, runs, count=None):
        """Medians of runs {who: f(i)}, in turn."""
        times = {who: [] for who in runs}
        for who, f in runs.items():
            f(0)  # warm
        for i in range(count or self.arguments.queries):
            for who, f in runs.items():
                begin = time.perf_counter()
                f(i % len(self.queries))
                times[who].append(1e3 * (time.perf_counter() - begin))
        return {who: statistics.median(values) for who, values in times.items()}

    def measure(self, name, runs, count=None):
        for who, value in self.time(runs, count).items():
            self.record(name, who, value)

    # What the tables are and how they are asked

    DEFINITIONS = {
        "isovec": "CREATE VIRTUAL TABLE t USING isovec(v float[{d}], m integer)",
        "sqlite-vec": "CREATE VIRTUAL TABLE t USING vec0(v float[{d}] distance_metric=cosine, m integer)",
        "vec1": "CREATE VIRTUAL TABLE t USING vec1(vector, m)",
    }
    INSERTS = {
        "isovec": "INSERT INTO t(rowid, v, m) VALUES (?, ?, ?)",
        "sqlite-vec": "INSERT INTO t(rowid, v, m) VALUES (?, ?, ?)",
        "vec1": "INSERT INTO t(rowid, vector, m) VALUES (?, ?, ?)",
    }
    SEARCHES = {
        "isovec": "SELECT rowid, distance FROM t WHERE v MATCH ?1 AND k = 10 {filter}",
        "sqlite-vec": "SELECT rowid, distance FROM t WHERE v MATCH ?1 AND k = 10 {filter}",
        "vec1": "SELECT rowid, distance FROM t(?1, '{{\"k\":10}}') WHERE true {filter}",
        "sqlite-vector": "SELECT rowid, distance FROM vector_quantize_scan('t', 'v', ?1, 10)",
    }

    def row(self, i):
        return i + 1, self.x[i].tobytes(), i * 7919 % 1000

    def fill(self, who):
        db = self.open(who)
        db.execute(self.DEFINITIONS[who].format(d=self.d))
        begin = time.perf_counter()
        with db:
            db.executemany(self.INSERTS[who], (self.row(i) for i in range(self.rows)))
        self.record("bulk insert", who, self.rows / (time.perf_counter() - begin), "rows/s")
        if who == "vec1":
            db.execute("INSERT INTO t(cmd, arg) VALUES ('rebuild', '{\"index\":\"flat\",\"distance\":\"cos\"}')")
        self.record("file over raw bytes", who, self.file_bytes(db) / self.x.nbytes, "ratio")
        db.close()

    def file_bytes(self, db):
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return os.path.getsize(db.filename)

    def fill_other(self, name, definition, columns=3):
        """A table of isovec in a database of its own, with rows in it."""
        db = self.open(name)
        db.execute(definition.format(d=self.d))
        marks = ", ".join("?" * columns)
        with db:
            db.executemany(f"INSERT INTO t VALUES ({marks})", (self.row(i)[:columns] for i in range(self.rows)))
        return db

    def search(self, db, who, filter=""):
        sql = self.SEARCHES[who].format(filter=filter)
        return lambda i: db.execute(sql, (self.queries[i].tobytes(),)).fetchall()

    def check(self, db):
        import numpy as np
        x = self.x.astype(np.float64)
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        find = self.search(db, "isovec")
        for i in range(20):
            similarity = x @ self.queries[i].astype(np.float64)
            expected = set((np.argsort(-similarity)[:10] + 1).tolist())
            if expected != {row[0] for row in find(i)}:
                sys.exit(f"isovec's answer to query {i} is not NumPy's")

    def searches(self):
        import faiss
        import numpy as np
        tables = ("isovec", "sqlite-vec", "vec1")
        for name, pragma in (("k = 10", LARGE_CACHE), ("k = 10, default cache", DEFAULT_CACHE)):
            open_tables = {who: self.open(who, pragma) for who in tables}
            if pragma == LARGE_CACHE:
                self.check(open_tables["isovec"])
            runs = {who: self.search(db, who) for who, db in open_tables.items()}
            if pragma == LARGE_CACHE:
                faiss.omp_set_num_threads(1)
                flat = faiss.IndexFlatIP(self.d)
                flat.add(self.x / np.linalg.norm(self.x, axis=1, keepdims=True))
                runs["faiss"] = lambda i: flat.search(self.queries[i:i + 1], 10)
                runs["sqlite-vector"] = self.search(self.preloaded(), "sqlite-vector")
            self.measure(name, runs)
        self.first_after_open(tables)
        db = self.open("isovec")
        stream = "SELECT rowid, distance FROM t WHERE v MATCH ?1"

        def first_ten(i):
            rows = db.execute(stream, (self.queries[i].tobytes(),))
            return [next(rows) for _ in range(10)]
        # Other queries, whose nearest rows the stream has not just brought into the processor's caches.
        find = self.search(db, "isovec")
        self.measure("first ten of a stream", {"isovec": first_ten, "isovec k = 10": lambda i: find(i - 100)})
        for percent, below in ((50, 500), (10, 100), (1, 10), (0.1, 1)):
            runs = {who: self.search(self.open(who), who, f"AND m < {below}") for who in tables}
            self.measure(f"filter passing {percent} %", runs)
        indexed = self.fill_other("isovec-indexed", "CREATE VIRTUAL TABLE t USING isovec("
                                  "id INTEGER PRIMARY KEY, v float[{d}], m integer indexed)")
        for percent, below in ((1, 10), (0.1, 1)):
            runs = {"isovec": self.search(indexed, "isovec", f"AND m < {below}"),
                    "vec1": self.search(self.open("vec1"), "vec1", f"AND m < {below}")}
            self.measure(f"indexed filter passing {percent} %", runs)

    def preloaded(self):
        db = self.open("sqlite-vector")
        db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB)")
        with db:
            db.executemany("INSERT INTO t VALUES (?, ?)", (self.row(i)[:2] for i in range(self.rows)))
        db.execute("SELECT vector_init('t', 'v', ?)", (f"type=FLOAT32,dimension={self.d},distance=COSINE",)).fetchall()
        db.execute("SELECT vector_quantize('t', 'v', 'qtype=INT8')").fetchall()
        db.execute("SELECT vector_quantize_preload('t', 'v')").fetchall()
        return db

    def first_after_open(self, tables):
        """The first query of a connection, its file out of the operating system's cache."""
        times = {who: [] for who in tables}
        for i in range(11):
            for who in tables:
                path = os.path.join(self.folder, who + ".db")
                with open(path, "rb") as file:
                    os.fsync(file.fileno())
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                begin = time.perf_counter()
                db = self.open(who, DEFAULT_CACHE)
                self.search(db, who)(i)
                times[who].append(1e3 * (time.perf_counter() - begin))
                db.close()
        for who, values in times.items():
            self.record("open and first query, cold file", who, statistics.median(values))

    def transforms(self):
        db = self.open("isovec")
        find = self.search(db, "isovec")
        raw = self.time({"raw": find})["raw"]
        given = self.fitted(db)
        sql = "SELECT rowid FROM t WHERE v MATCH ?1 AND k = 10 AND transform = ?2"
        apply = self.time({"given": lambda i: db.execute(sql, (self.queries[i].tobytes(), given)).fetchall()}, 3)
        self.record("transform given with the query", "isovec", apply["given"])
        self.record("transform given with the query", "isovec raw", raw)
        begin = time.perf_counter()
        db.execute("INSERT INTO t(t) VALUES ('fit whiten')")
        self.record("fit whiten and code", "isovec", 1e3 * (time.perf_counter() - begin))
        self.record("whitened, k = 10", "isovec", self.time({"w": find})["w"])
        self.record("whitened, k = 10", "isovec raw", raw)

    def fitted(self, db):
        return db.execute("SELECT vec_fit(v, 'whiten') FROM (SELECT v FROM t LIMIT 20000)").fetchone()[0]

    def changes(self):
        tables = ("isovec", "sqlite-vec")
        for who in tables:
            db = self.open(who + "-changes")
            db.execute(self.DEFINITIONS[who].format(d=self.d))
            begin = time.perf_counter()
            for i in range(3000):
                db.execute(self.INSERTS[who], self.row(i))
            self.record("single-row transactions", who, 3000 / (time.perf_counter() - begin), "rows/s")
            db = self.open(who)
            begin = time.perf_counter()
            with db:
                db.execute("DELETE FROM t WHERE rowid % 2 = 0")
            self.record("delete half the rows", who, 1e3 * (time.perf_counter() - begin))

        raw_rate = self.results[("bulk insert", "rows/s")]
        peer = {who: rate for who, rate in raw_rate.items() if who == "sqlite-vec"}
        db = self.fill_other("isovec-none", "CREATE VIRTUAL TABLE t USING isovec("
                             "id INTEGER PRIMARY KEY, v float[{d}] codes=none)", 2)
        self.record("file over raw bytes, codes=none", "isovec", self.file_bytes(db) / self.x.nbytes, "ratio")
        given = self.fitted(self.open("isovec"))
        db = self.open("isovec-fitted")
        db.execute(f"CREATE VIRTUAL TABLE t USING isovec(v float[{self.d}], m integer)")
        db.execute("INSERT INTO t(t, transform) VALUES ('transform', ?)", (given,))
        begin = time.perf_counter()
        with db:
            db.executemany(self.INSERTS["isovec"], (self.row(i) for i in range(self.rows)))
        for who, rate in {"isovec": self.rows / (time.perf_counter() - begin), **peer}.items():
            self.record("bulk insert under a whitening", who, rate, "rows/s")
        self.triggers()

    def triggers(self):
        """Rows that come by a trigger of an ordinary table beside rows that are inserted."""
        rates = {}
        for name in ("isovec", "isovec without trigger"):
            db = self.open(name + "-triggers")
            db.execute(f"CREATE VIRTUAL TABLE t USING isovec(v float[{self.d}])")
            db.execute("CREATE TABLE s(id INTEGER PRIMARY KEY, v)")
            if name == "isovec":
                db.execute("CREATE TRIGGER r AFTER INSERT ON s BEGIN "
                           "INSERT INTO t(rowid, v) VALUES (new.id, new.v); END")
            begin = time.perf_counter()
            with db:
                for i in range(min(self.rows, 20_000)):
                    db.execute("INSERT INTO s VALUES (?, ?)", self.row(i)[:2])
                    if name != "isovec":
                        db.execute("INSERT INTO t(rowid, v) VALUES (?, ?)", self.row(i)[:2])
            rates[name] = min(self.rows, 20_000) / (time.perf_counter() - begin)
        for name, rate in rates.items():
            self.record("rows by trigger", name, rate, "rows/s")

    def cliffs(self):
        """What can make a search slow, each beside the same search without it."""
        db = self.fill_other("isovec-cliffs", "CREATE VIRTUAL TABLE t USING isovec("
                             "id INTEGER PRIMARY KEY, v float[{d}])", 2)
        find = self.search(db, "isovec")
        db.execute("CREATE TABLE other(x)")
        writer = self.open("isovec-cliffs")
        times = {"isovec": [], "isovec alone": []}
        for i in range(2 * self.arguments.queries):
            who = ("isovec alone", "isovec")[i % 2]
            if who == "isovec":
                writer.execute("INSERT INTO other VALUES (1)")
            begin = time.perf_counter()
            find(i % len(self.queries))
            times[who].append(1e3 * (time.perf_counter() - begin))
        for who, values in times.items():
            self.record("after a commit of others", who, statistics.median(values))
        before = self.time({"before": find})["before"]
        self.orders_and_filters(db, find)
        order = list(range(self.rows))
        random.Random(5).shuffle(order)
        done = 0
        for percent in (1, 5, 10, 20):
            share = order[done:self.rows * percent // 100]
            done += len(share)
            with db:
                db.executemany("UPDATE t SET v = ? WHERE id = ?",
                               ((self.x[-1 - i].tobytes(), i + 1) for i in share))
            name = f"after updates of {percent} % of the rows"
            self.record(name, "isovec", self.time({"after": find})["after"])
            self.record(name, "isovec before", before)
        db.execute("INSERT INTO t(t) VALUES ('fit whiten')")
        sql = "SELECT id FROM t WHERE v MATCH ?1 AND k = 10 AND transform = 'none'"
        self.measure("transform = 'none', fitted column",
                     {"isovec": lambda i: db.execute(sql, (self.queries[i].tobytes(),)).fetchall(),
                      "isovec fitted": find})

    def orders_and_filters(self, db, find):
        """Another name for the order, and filters by another table: a few rows that pass, and 95 % of them."""
        ask = lambda sql: lambda i: db.execute(sql, (self.queries[i].tobytes(),)).fetchall()
        self.measure("ORDER BY similarity DESC LIMIT 10", {
            "isovec": ask("SELECT id FROM t WHERE v MATCH ?1 ORDER BY similarity DESC LIMIT 10"), "isovec by k": find})
        db.execute("CREATE TABLE docs(id INTEGER PRIMARY KEY, sec INTEGER)")
        db.execute("INSERT INTO docs SELECT id, CASE WHEN id % 5000 = 0 THEN 1 WHEN id % 20 = 1 THEN 2 ELSE 3 END FROM t")
        db.execute("CREATE INDEX docs_sec ON docs(sec)")
        for share, sec in (("a few rows", 1), ("95 % of the rows", 3)):
            self.measure(f"another table passes {share}", {
                "isovec": ask("SELECT id FROM t WHERE v MATCH ?1 AND k = 10 AND "
                              f"id IN (SELECT id FROM docs WHERE sec = {sec})"),
                "isovec JOIN": ask(f"SELECT id FROM t JOIN docs USING (id) WHERE v MATCH ?1 AND docs.sec = {sec} "
                                   "ORDER BY distance LIMIT 10")})

    def partitions(self):
        """10,000 partitions of 50 rows of 96 dimensions, beside the same rows in one."""
        parts, d = 10_000, 96
        definitions = {"parts": f"CREATE VIRTUAL TABLE t USING isovec(v float[{d}], p integer partition key)",
                       "whole": f"CREATE VIRTUAL TABLE t USING isovec(v float[{d}], p integer)"}
        tables = {}
        for name, definition in definitions.items():
            db = self.open("isovec-" + name)
            db.execute(definition)
            with db:
                db.executemany("INSERT INTO t(rowid, v, p) VALUES (?, ?, ?)",
                               ((i + 1, self.x[i % self.rows, i % 7:i % 7 + d].tobytes(), i % parts)
                                for i in range(50 * parts)))
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            db.close()
            tables[name] = self.open("isovec-" + name)

        def search(name, filter=""):
            sql = self.SEARCHES["isovec"].format(filter=filter)
            return lambda i: tables[name].execute(sql, (self.queries[i, :d].tobytes(),)).fetchall()
        self.measure("one of 10,000 partitions of 50 rows",
                     {"isovec": search("parts", "AND p = 17"), "isovec unpartitioned": search("whole")})
        self.measure("all of those partitions", {"isovec": search("parts"), "isovec unpartitioned": search("whole")})

    def print(self):
        print(f"\n{self.rows} rows of {self.d} dimensions, {self.arguments.queries} queries\n")
        print(f"{'':36}{'isovec':>12}   beside")
        for (measure, unit), values in self.results.items():
            ours = values["isovec"]
            others = ", ".join(f"{who} {value:.4g} (ratio {ours / value:.3f})"
                               for who, value in values.items() if who != "isovec")
            print(f"{measure:36}{ours:12.4g} {unit}   {others}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("module")
    parser.add_argument("--vectors", help="a .npy file of rows; float16 is widened")
    parser.add_argument("--rows", type=int, default=50_000, help="of the vectors that are made")
    parser.add_argument("--queries", type=int, default=50)
    parser.add_argument("--measure", help="searches, transforms, partitions, changes or cliffs alone")
    arguments = parser.parse_args()
    peers.enter_environment(arguments.module, PACKAGES, "search-venv")
    import numpy as np
    vectors = (np.load(arguments.vectors).astype(np.float32) if arguments.vectors else made_vectors(arguments.rows))
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(arguments, vectors, folder)
        for who in ("isovec", "sqlite-vec", "vec1"):
            bench.fill(who)
        for name in ("searches", "partitions", "changes", "cliffs", "transforms"):
            if arguments.measure in (None, name):
                getattr(bench, name)()
        bench.print()


if __name__ == "__main__":
    main()
