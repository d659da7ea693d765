#!/usr/bin/env python3
"""isovec beside other SQLite extensions: the same rows, one process, one thread, through SQL.

    python3 bench/peers.py build/release/isovec.so [--rows 50000] [--rounds 7] [--dimensions 384,768,1536]

Installs its peers (sqlite-vec, vectorlite, and vec1 with apsw, from PyPI) into a virtual environment beside the
module, once. Prints nanoseconds a row: the median over the rounds, the spread (the quartiles, as a share of the
median), and the ratio to the best peer. The rounds take turns, so that a slow minute of the machine meets all.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

PACKAGES = ["apsw==3.54.1.0", "sqlite-vec==0.1.9", "vectorlite-py==0.2.0", "numpy"]


def enter_environment(module, packages=PACKAGES, name="peers-venv"):
    """Runs this script again under a Python that has the peers."""
    folder = os.path.join(os.path.dirname(os.path.abspath(module)), name)
    python = os.path.join(folder, "bin", "python")
    if os.path.realpath(sys.prefix) == os.path.realpath(folder):
        return
    complete = os.path.join(folder, " ".join(packages).replace("/", "_"))
    if not os.path.exists(complete):
        subprocess.check_call([sys.executable, "-m", "venv", folder])
        subprocess.check_call([python, "-m", "pip", "install", "--quiet", *packages])
        open(complete, "w").close()
    os.execv(python, [python, *sys.argv])


def extension_paths(module):
    import apsw
    import sqlite_vec
    import vectorlite_py
    vec1 = os.path.join(os.path.dirname(apsw.__file__), "sqlite_extra_binaries", "vec1.so")
    return {
        "isovec": os.path.abspath(module),
        "sqlite-vec": sqlite_vec.loadable_path(),
        "vectorlite": vectorlite_py.vectorlite_path(),
        "vec1": vec1,
    }


# What is measured: the column it reads, and each extension's SQL.
MEASURES = {
    "cosine": ("v", {
        "isovec": "vec_cosine(v, :q)",
        "sqlite-vec": "vec_distance_cosine(v, :q)",
        "vectorlite": "vector_distance(v, :q, 'cosine')",
        "vec1": "vec1_cos_distance(v, :q)",
    }),
    "l2": ("v", {
        "isovec": "vec_distance_l2(v, :q)",
        "sqlite-vec": "vec_distance_l2(v, :q)",
        "vectorlite": "vector_distance(v, :q, 'l2')",
        "vec1": "vec1_l2_distance(v, :q)",
    }),
    "dot": ("v", {
        "isovec": "vec_dot(v, :q)",
        "vectorlite": "vector_distance(v, :q, 'ip')",
    }),
    "int8 cosine": ("i8", {
        "isovec": "vec_distance_cosine(vec_int8(i8), vec_int8(:q))",
        "sqlite-vec": "vec_distance_cosine(vec_int8(i8), vec_int8(:q))",
    }),
    "int8 l2": ("i8", {
        "isovec": "vec_distance_l2(vec_int8(i8), vec_int8(:q))",
        "sqlite-vec": "vec_distance_l2(vec_int8(i8), vec_int8(:q))",
    }),
    "hamming": ("bits", {
        "isovec": "vec_distance_hamming(vec_bit(bits), vec_bit(:q))",
        "sqlite-vec": "vec_distance_hamming(vec_bit(bits), vec_bit(:q))",
    }),
    "float16 cosine (peers: float32)": ("f16", {
        "isovec": "vec_cosine(vec_f16(f16), vec_f16(:q))",
        "sqlite-vec": "vec_distance_cosine(v, :v)",
    }),
    "JSON to vector": ("json", {
        "isovec": "length(vec_f32(json))",
        "sqlite-vec": "length(vec_f32(json))",
        "vectorlite": "length(vector_from_json(json))",
        "vec1": "length(vec1_from_json(json))",
    }),
}


def make_database(path, rows, dimension):
    import apsw
    import numpy
    generator = numpy.random.default_rng(dimension)
    db = apsw.Connection(path)
    db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB)")
    for name in ("i8", "bits", "f16", "json"):
        db.execute(f"CREATE TABLE {name}_t(id INTEGER PRIMARY KEY, {name})")
    with db:
        for first in range(0, rows, 1000):
            block = generator.standard_normal((min(1000, rows - first), dimension)).astype("<f4")
            block /= numpy.linalg.norm(block, axis=1, keepdims=True)
            db.executemany("INSERT INTO t(v) VALUES (?)", ((r.tobytes(),) for r in block))
            db.executemany("INSERT INTO i8_t(i8) VALUES (?)",
                           ((numpy.clip(r * 800, -128, 127).astype("i1").tobytes(),) for r in block))
            db.executemany("INSERT INTO bits_t(bits) VALUES (?)",
                           ((numpy.packbits(r > 0, bitorder="little").tobytes(),) for r in block))
            db.executemany("INSERT INTO f16_t(f16) VALUES (?)", ((r.astype("<f2").tobytes(),) for r in block))
            if first < 5000:
                db.executemany("INSERT INTO json_t(json) VALUES (?)",
                               (("[" + ",".join(repr(float(str(x))) for x in r) + "]",) for r in block))
    db.close()


def connect(path, extension):
    import apsw
    db = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY)
    db.enable_load_extension(True)
    db.load_extension(extension)
    db.execute("PRAGMA cache_size=-600000")
    return db


def time_once(db, expression, column, query):
    table = "t" if column == "v" or "(v," in expression else f"{column}_t"
    value = "v" if table == "t" else column
    bindings = {}
    for name in ("q", "v"):
        if f":{name}" in expression:
            bindings[name] = query[value]
    start = time.perf_counter()
    ((total, count),) = db.execute(f"SELECT sum({expression}), count(*) FROM {table}", bindings).fetchall()
    if total is None:
        raise ValueError("no result")
    return (time.perf_counter() - start) / count * 1e9


def measure(connections, column, expressions, query, rounds):
    times = {name: [] for name in expressions if name in connections}
    for round_number in range(rounds + 1):
        for name in list(times):
            try:
                taken = time_once(connections[name], expressions[name], column, query)
            except Exception as failure:  # a peer that cannot do it has no line
                print(f"    ({name}: {failure})", file=sys.stderr)
                del times[name]
                continue
            if round_number > 0:  # the first one fills caches
                times[name].append(taken)
    return times


def print_measure(title, times):
    medians = {name: statistics.median(values) for name, values in times.items()}
    peers = [value for name, value in medians.items() if name != "isovec"]
    for name, values in times.items():
        low, _, high = statistics.quantiles(values, n=4)
        ratio = f"{medians[name] / min(peers):6.2f}" if peers else "     -"
        print(f"{title:42} {name:11} {medians[name]:10.0f} {(high - low) / medians[name]:7.0%} {ratio}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("module")
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--dimensions", default="384,768,1536")
    parser.add_argument("--only", default="", help="measures whose name contains this")
    arguments = parser.parse_args()
    enter_environment(arguments.module)
    print(f"{'measure':42} {'extension':11} {'ns a row':>10} {'spread':>7} {'to best peer':>6}")
    for dimension in map(int, arguments.dimensions.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "peers.db")
            make_database(path, arguments.rows, dimension)
            connections = {}
            for name, extension in extension_paths(arguments.module).items():
                try:
                    connections[name] = connect(path, extension)
                except Exception as failure:
                    print(f"    ({name} does not load: {failure})", file=sys.stderr)
            query = {c: connections["isovec"].execute(f"SELECT {c} FROM {'t' if c == 'v' else c + '_t'} WHERE id = 7")
                     .fetchall()[0][0] for c in ("v", "i8", "bits", "f16", "json")}
            for title, (column, expressions) in MEASURES.items():
                if arguments.only in title:
                    times = measure(connections, column, expressions, query, arguments.rounds)
                    print_measure(f"{title}, d = {dimension}", times)
            for db in connections.values():
                db.close()


if __name__ == "__main__":
    main()
