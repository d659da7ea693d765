#!/usr/bin/env python3
"""Time of a search against the number of rows, beside the memory's bandwidth; draws bench/latency.svg.

    python3 bench/growth.py build/release/isovec.so [--rows 10000,30000,100000] [--queries 30] [--draw FILE]

Rows of 768 dimensions as bench/search.py makes them, in one process and thread; the long form is --rows
10000,100000,1000000 and needs 15 GB of disk. Prints for each number of rows the medians in milliseconds, the bytes that
isovec's search has to read and at which rate it does, as a share of what one core streams from memory in the same run,
and how much memory the first search takes above SQLite's page cache.
"""
import argparse
import datetime
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import peers
import search

os.environ["OPENBLAS_NUM_THREADS"] = "1"

def streaming_rate():
    """Bytes per second that one core reads from memory, in a dot product of float32."""
    import numpy as np
    data = np.ones(128 << 20, np.float32)
    times = []
    for _ in range(7):
        begin = time.perf_counter()
        data.dot(data)
        times.append(time.perf_counter() - begin)
    return data.nbytes / min(times)


MEMORY = """
import apsw, sys
def status(name):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name))
module, path, dimensions = sys.argv[1:]
query = bytes(int(dimensions) * 4 - 4) + b"\\x00\\x00\\x80\\x3f"
db = apsw.Connection(path)
db.enable_load_extension(True)
db.load_extension(module)
db.execute("PRAGMA cache_size = -2000")
db.execute("SELECT count(*) FROM t WHERE rowid < 1000").fetchall()
before = status("VmHWM")
db.execute("SELECT rowid FROM t WHERE v MATCH ? AND k = 10", (query,)).fetchall()
print((status("VmHWM") - before) / 1024)
"""


class Growth(search.Bench):
    WHO = ("isovec", "sqlite-vec", "vec1")

    def step(self):
        """Medians by curve, and the bytes that isovec reads."""
        for who in self.WHO:
            self.fill(who)
        cache = f"PRAGMA cache_size = -{2 * self.x.nbytes // 1024 + 100_000}"
        runs = {who: self.search(self.open(who, cache), who) for who in self.WHO}
        runs["isovec, default PRAGMAs"] = self.search(self.open("isovec", search.DEFAULT_CACHE), "isovec")
        medians = self.time(runs)
        code_bytes = self.open("isovec").execute("SELECT code_bytes FROM isovec_info('t')").fetchone()[0]
        memory = subprocess.check_output([sys.executable, "-c", MEMORY, self.paths["isovec"],
                                          os.path.join(self.folder, "isovec.db"), str(self.d)], text=True)
        return medians, code_bytes, float(memory)


def machine():
    names = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, one thread, {datetime.date.today():%d %B %Y}"


def draw(path, curves, dimensions):
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "isovec"
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(figsize=(7.5, 4.6))
    for name, points in curves.items():
        axes.plot(*zip(*points), marker="o", label=name, linestyle="--" if "," in name else "-")
    axes.set(xscale="log", yscale="log", xlabel=f"rows of {dimensions} dimensions", ylabel="ms a query, exact, k = 10",
             title=machine())
    axes.title.set_fontsize(9)
    axes.grid(True, which="both", alpha=0.25)
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("module")
    parser.add_argument("--rows", default="10000,30000,100000")
    parser.add_argument("--queries", type=int, default=30)
    parser.add_argument("--draw", help="an SVG file")
    arguments = parser.parse_args()
    peers.enter_environment(arguments.module, search.PACKAGES, "search-venv")
    rate = streaming_rate()
    print(f"{machine()}\none core streams float32 at {rate / 1e9:.1f} GB/s\n")
    print(f"{'rows':>9}{'isovec':>9}{'default':>9}{'sqlite-vec':>12}{'vec1':>9}   MB read   GB/s   share   MB of memory")
    curves = {}
    for rows in map(int, arguments.rows.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            bench = Growth(arguments, search.made_vectors(rows), folder)
            medians, code_bytes, memory = bench.step()
        for name, value in medians.items():
            curves.setdefault(name, []).append((rows, value))
        speed = code_bytes / (medians["isovec"] / 1e3)
        print(f"{rows:9}{medians['isovec']:9.2f}{medians['isovec, default PRAGMAs']:9.2f}{medians['sqlite-vec']:12.1f}"
              f"{medians['vec1']:9.1f}{code_bytes / 1e6:10.1f}{speed / 1e9:7.1f}{speed / rate:8.2f}{memory:15.1f}")
        sys.stdout.flush()
    if arguments.draw:
        draw(arguments.draw, curves, bench.d)


if __name__ == "__main__":
    main()
