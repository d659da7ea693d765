"""Threads and processes at work on one database in WAL mode, for as long as they are told to.

    soak.py [--seconds N] [--seed S]

Three processes, eight threads in all, each with a connection of its own. Three threads change an isovec table and an
ordinary table alike, with fits, rebuilds, clean-ups and VACUUM between the changes; five read. In every snapshot both
tables hold the same rows, and the nearest rows are those that plain SQL finds. Ends with the memory that each process
had after a quarter of the time and at the end.
"""

import argparse
import multiprocessing
import random
import sqlite3
import sys
import tempfile
import threading
import time
from pathlib import Path

import crash_campaign

WRITERS, READERS = (1, 1, 1), (1, 2, 2)  # by process
BUSY = ("database is locked", "database table is locked", "cannot VACUUM - SQL statements in progress")


def resident_megabytes():
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def connect(path):
    connection = sqlite3.connect(path, isolation_level=None, timeout=60, check_same_thread=False)
    connection.enable_load_extension(True)
    connection.load_extension(str(crash_campaign.sqlite_shell.MODULE))
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute("PRAGMA synchronous = OFF")
    return connection


def write(path, seed, stop):
    """One transaction after the other, each on both tables; VACUUM now and then. Returns how many."""
    rng, connection, done = random.Random(seed), connect(path), 0
    worker = crash_campaign.Worker(connection, seed, lambda line: None)
    while not stop.is_set():
        if rng.random() < 0.01:
            try:
                connection.execute("VACUUM")
            except sqlite3.OperationalError as error:
                if str(error) not in BUSY:
                    raise
            continue
        connection.execute("BEGIN IMMEDIATE")
        n = connection.execute("SELECT max(n) FROM log").fetchone()[0] + 1
        spec = worker.change(rng.choices(crash_campaign.KINDS, crash_campaign.WEIGHTS)[0], n, rng)
        connection.execute("INSERT INTO log VALUES (?, ?)", (n, spec))
        connection.execute("COMMIT" if rng.random() < 0.9 else "ROLLBACK")
        done += 1
    connection.close()
    return done


NEAREST = (
    (
        "SELECT id FROM t WHERE e MATCH vec_random(64, ?1) AND k = 10 AND transform = 'none' ORDER BY distance, id",
        "SELECT id FROM u ORDER BY vec_distance_cosine(e, vec_random(64, ?1)), id LIMIT 10",
    ),
    (
        "SELECT id FROM t WHERE f MATCH vec_f16(vec_random(8, ?1)) AND y < 10 ORDER BY distance, id LIMIT 10",
        "SELECT id FROM u WHERE y < 10 ORDER BY vec_distance_l2(vec_f16(f), vec_f16(vec_random(8, ?1))), id LIMIT 10",
    ),
)


def read(path, seed, stop):
    """One snapshot after the other. Returns how many."""
    rng, connection, done = random.Random(seed), connect(path), 0
    rows = lambda sql, *values: connection.execute(sql, values).fetchall()
    while not stop.is_set():
        connection.execute("BEGIN")
        query = rng.randrange(1_000_000)
        for table, plain in NEAREST:
            found, expected = rows(table, query), rows(plain, query)
            assert found == expected, f"query {query}: found {found}, expected {expected}: {table}"
        content = [rows(f"SELECT * FROM {table} ORDER BY id") for table in "tu"]
        assert content[0] == content[1], "the tables differ"
        if rng.random() < 0.1:
            assert rows("SELECT isovec_check('t')") == [("ok",)], rows("SELECT isovec_check('t')")
        connection.execute("COMMIT")
        done += 1
    connection.close()
    return done


class Process:
    """The threads of one process."""

    def __init__(self, path, seed, writers, readers, seconds, results):
        self.path, self.seconds, self.results = path, seconds, results
        self.stop, self.errors, self.counts = threading.Event(), [], {write: 0, read: 0}
        tasks = [write] * writers + [read] * readers
        self.threads = [
            threading.Thread(target=self.work, args=(task, seed * 100 + i)) for i, task in enumerate(tasks)
        ]

    def work(self, task, seed):
        try:
            self.counts[task] += task(self.path, seed, self.stop)
        except BaseException as error:  # whatever it is, the parent reports it
            self.errors.append(f"{task.__name__} with seed {seed}: {error!r}")
            self.stop.set()

    def run(self):
        for thread in self.threads:
            thread.start()
        self.stop.wait(self.seconds / 4)
        early = resident_megabytes()
        self.stop.wait(self.seconds * 3 / 4)
        self.stop.set()
        for thread in self.threads:
            thread.join()
        self.results.put((self.counts[write], self.counts[read], early, resident_megabytes(), self.errors))


def soak(path, seed, seconds):
    connection = connect(path)
    connection.executescript(crash_campaign.CREATE)
    results = multiprocessing.Queue()
    processes = [
        multiprocessing.Process(target=Process(path, seed * 10 + i, *counts, seconds, results).run)
        for i, counts in enumerate(zip(WRITERS, READERS))
    ]
    for process in processes:
        process.start()
    reports = [results.get() for _ in processes]
    for process in processes:
        process.join()
    sound = [connection.execute(sql).fetchone()[0] for sql in ("PRAGMA integrity_check", "SELECT isovec_check('t')")]
    connection.close()
    return reports, sound


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        reports, sound = soak(str(Path(place, "soak.db")), arguments.seed, arguments.seconds)
    failures = [error for report in reports for error in report[4]] + [text for text in sound if text != "ok"]
    for failure in failures:
        print(failure)
    memory = ", ".join(f"{early:.0f} to {late:.0f} MB" for _, _, early, late, _ in reports)
    print(
        f"seed {arguments.seed}: {sum(r[0] for r in reports)} transactions, {sum(r[1] for r in reports)} snapshots, "
        f"{len(failures)} failures, {time.monotonic() - begin:.0f} s; memory {memory}"
    )
    return 1 if failures or not all(r[0] and r[1] for r in reports) else 0


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    sys.exit(main())
