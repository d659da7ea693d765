"""A process is killed (SIGKILL) in the middle of its work, again and again, on one database.

    crash_campaign.py [--cycles N] [--seed S] [--journal delete|wal]

The child changes an isovec table and an ordinary table alike, in one transaction with the transaction's number, and
acknowledges each number once COMMIT has returned. After the kill nothing acknowledged is lost, both tables are equal, the
transform is the one the last transaction left with norms that belong to it, and every check finds the database sound.
"""

import argparse
import collections
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

import sqlite_shell

DIMENSIONS = 64
MOST_ROWS = 700
SPECS = ["center", "whiten eps=1", "standardize", "whiten k=9"]
KINDS = ["insert", "update", "delete", "replace", "bulk insert", "fit", "unfit", "rebuild", "optimize"]
WEIGHTS = [4, 4, 3, 2, 2, 8, 1, 4, 2]
CREATE = f"""
CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[{DIMENSIONS}], f float16[8] distance_metric=l2,
  part text partition key, y integer indexed, +body text);
CREATE TABLE u(id INTEGER PRIMARY KEY, e, f, part TEXT, y INTEGER, body TEXT);
CREATE TABLE log(n INTEGER PRIMARY KEY, spec TEXT);
INSERT INTO log VALUES (0, NULL);
"""
COLUMNS = "(id, e, f, part, y, body)"


def connect(path, journal):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.enable_load_extension(True)
    connection.load_extension(str(sqlite_shell.MODULE))
    connection.execute(f"PRAGMA journal_mode = {journal}")
    connection.execute("PRAGMA synchronous = OFF")  # a killed process takes no page of the system's with it
    connection.execute("PRAGMA cache_size = 8")  # so that a transaction reaches the file before it is committed
    return connection


class Worker:
    """The child: transaction n does what the seed and n say."""

    def __init__(self, connection, seed, report):
        self.connection, self.seed, self.report = connection, seed, report

    def both(self, sql):
        for table in "tu":
            self.connection.execute(sql.format(t=table))

    def rows(self, first, count, n, verb="INSERT"):
        # The ordinary table first: the other's rows are then read from it.
        self.connection.execute(
            f"WITH RECURSIVE c(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM c LIMIT {count}) "
            f"{verb} INTO u{COLUMNS} SELECT i, vec_random({DIMENSIONS}, i * 1000 + {n}), vec_f16(vec_random(8, i + {n})), "
            f"'p' || (i % 3), (i * 7 + {n}) % 20, 'body ' || {n} FROM c WHERE true"
        )
        self.connection.execute(
            f"{verb} INTO t{COLUMNS} SELECT id, e, vec_f16(f), part, y, body FROM u WHERE body = 'body {n}'"
        )

    def change(self, kind, n, rng):
        last, count = self.connection.execute("SELECT coalesce(max(id), 0), count(*) FROM u").fetchone()
        some = rng.randrange(1, last + 2)
        if kind == "insert" or count < 60:
            self.rows(last + 1, 60 if count < 60 else 1, n)
        elif kind == "replace":
            self.rows(some, 3, n, "INSERT OR REPLACE")
        elif kind == "bulk insert":
            self.rows(last + 1, 100 if count < MOST_ROWS else 1, n)
        elif kind == "update":
            self.both(
                f"UPDATE {{t}} SET e = vec_random({DIMENSIONS}, {n}), y = y + 1 WHERE id >= {some} AND id < {some + 20}"
            )
        elif kind == "delete":
            self.both(f"DELETE FROM {{t}} WHERE id >= {some} AND id < {some + count // 4}")
        elif kind == "fit":
            spec = rng.choice(SPECS)
            self.connection.execute(f"INSERT INTO t(t) VALUES ('fit column=e {spec}')")
            return spec
        elif kind == "unfit":
            self.connection.execute("INSERT INTO t(t) VALUES ('unfit')")
            return None
        else:
            self.connection.execute(f"INSERT INTO t(t) VALUES ('{kind}')")
        return self.connection.execute("SELECT spec FROM log ORDER BY n DESC LIMIT 1").fetchone()[0]

    def run(self):
        n = self.connection.execute("SELECT max(n) FROM log").fetchone()[0]
        while True:
            n += 1
            rng = random.Random(f"{self.seed} {n}")
            kind = rng.choices(KINDS, WEIGHTS)[0]
            self.report(f"{n} {kind}\n")
            self.connection.execute("BEGIN IMMEDIATE")
            spec = self.change(kind, n, rng)
            self.connection.execute("INSERT INTO log VALUES (?, ?)", (n, spec))
            self.connection.execute("COMMIT")
            self.report(f"{n} done\n")


def child(path, journal, seed, pipe):
    try:
        Worker(connect(path, journal), seed, lambda line: os.write(pipe, line.encode())).run()
    except BaseException as error:  # the parent sees it, whatever it is
        os.write(pipe, f"0 failed: {error!r}\n".encode())
        os._exit(1)


class Campaign:
    def __init__(self, path, journal, seed):
        self.path, self.journal, self.seed = path, journal, seed
        self.rng, self.struck, self.transactions, self.failures = random.Random(seed), collections.Counter(), 0, 0

    def strike(self):
        """Runs the child for a while and kills it; returns the last transaction begun and the last acknowledged."""
        reading, writing = os.pipe()
        process = os.fork()
        if process == 0:
            os.close(reading)
            child(self.path, self.journal, self.seed, writing)
        os.close(writing)
        first = os.read(reading, 100)  # it works; what it begins next is struck somewhere
        time.sleep(self.rng.random() ** 2 * 0.08)
        os.kill(process, signal.SIGKILL)
        text = first
        while more := os.read(reading, 65536):
            text += more
        os.close(reading)
        os.waitpid(process, 0)
        lines = [line.split(" ", 1) for line in text.decode().splitlines()]
        self.fail_if("failed" in text.decode(), text.decode())
        begun = [(int(n), word) for n, word in lines if word != "done"]
        done = [int(n) for n, word in lines if word == "done"]
        if begun and (not done or done[-1] < begun[-1][0]):
            self.struck[begun[-1][1]] += 1
        return (begun[-1][0] if begun else 0), (done[-1] if done else 0)

    def fail_if(self, failed, sentence):
        if failed:
            self.failures += 1
            print(f"seed {self.seed}, journal {self.journal}: {sentence}")

    def verify(self, begun, done):
        connection = connect(self.path, self.journal)
        one = lambda sql: connection.execute(sql).fetchone()[0]
        n, spec = connection.execute("SELECT n, spec FROM log ORDER BY n DESC LIMIT 1").fetchone()
        self.fail_if(n < done, f"transaction {done} was acknowledged and the last there is {n}")
        self.fail_if(begun > 0 and n > begun, f"transaction {n} is there, and only {begun} was begun")
        for sql in ("PRAGMA integrity_check", "SELECT isovec_check('t')"):
            self.fail_if(one(sql) != "ok", f"after transaction {n}, {sql}: {one(sql)}")
        content = [connection.execute(f"SELECT * FROM {table} ORDER BY id").fetchall() for table in "tu"]
        self.fail_if(content[0] != content[1], f"after transaction {n} the tables differ")
        fitted = one("SELECT transform FROM isovec_info('t') WHERE name = 'e'")
        self.fail_if(fitted != spec, f"after transaction {n} the transform is {fitted}, and {spec} was left")
        off = one(
            "SELECT count(*) FROM t WHERE e MATCH vec_random(64, 7) AND abs(distance - vec_distance_cosine(e, vec_random(64, 7)"
            + (", (SELECT transform FROM t WHERE e MATCH vec_random(64, 7) AND k = 1)" if spec else "")
            + ")) > 1e-5"
        )
        self.fail_if(off != 0, f"after transaction {n}, {off} distances are not those of the transform {spec}")
        self.transactions = n
        connection.close()

    def run(self, cycles):
        connection = connect(self.path, self.journal)
        connection.executescript(CREATE)
        connection.close()
        for _ in range(cycles):
            self.verify(*self.strike())
            if self.failures:
                return


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--journal", choices=["delete", "wal"], action="append")
    arguments = parser.parse_args()
    failures = 0
    journals = arguments.journal or ["delete", "wal"]
    for journal in journals:
        begin = time.monotonic()
        with tempfile.TemporaryDirectory() as place:
            campaign = Campaign(str(Path(place, "crash.db")), journal, arguments.seed)
            campaign.run(arguments.cycles // len(journals))
        failures += campaign.failures
        struck = ", ".join(f"{count} in {kind}" for kind, count in sorted(campaign.struck.items()))
        print(
            f"journal {journal}, seed {arguments.seed}: {arguments.cycles // len(journals)} kills ({struck}), "
            f"{campaign.transactions} transactions, {campaign.failures} failures, {time.monotonic() - begin:.0f} s"
        )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
