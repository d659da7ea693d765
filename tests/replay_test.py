"""The same log of changes gives the same bytes: on every kind of kernel, whatever is read between the changes, however
they are grouped into transactions, and whatever is done and taken back in between. sqlite3_dbhash compares the content.
"""

import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import newest_sqlite
import sqlite_shell

ISAS = ["baseline", "avx2", "avx512", "avx512vnni"]
CREATE = """
CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[40] transform='whiten', f float16[9] distance_metric=l2,
  g bfloat16[700] distance_metric=dot, h float[7] distance_metric=l2, part text partition key, y integer indexed, +body text);
CREATE VIRTUAL TABLE s USING isovec(name TEXT PRIMARY KEY, e float[5]);
"""


def log(seed, transforms):
    """Changes as (sql, parameters); each is a statement of its own."""
    rng, last = random.Random(seed), 0
    for step in range(260):
        draw = rng.random()
        if draw < 0.35 or last < 30:
            last += 1
            yield (
                "INSERT OR REPLACE INTO t(id, e, f, g, part, y, body) VALUES (?1, vec_random(40, ?2), "
                "vec_f16(vec_random(9, ?2)), vec_bf16(vec_random(700, ?2)), 'p' || (?2 % 3), ?2 % 7, 'body ' || ?2)",
                (last, step),
            )
        elif draw < 0.42:
            first, last = last + 1, last + 60  # past the rows that a block of codes needs
            yield (
                "WITH RECURSIVE c(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM c WHERE i < ?2) INSERT INTO t(id, e, f, g, h, part) "
                "SELECT i, vec_random(40, i), vec_f16(vec_random(9, i)), vec_bf16(vec_random(700, i)), "
                "CASE WHEN i % 4 THEN vec_random(7, i) END, 'p' || (i % 3) FROM c",
                (first, last),
            )
        elif draw < 0.55:
            yield ("UPDATE t SET e = vec_random(40, ?1), y = ?1 WHERE id = ?2", (step, rng.randrange(1, last + 1)))
        elif draw < 0.62:
            yield ("UPDATE t SET part = 'moved', body = NULL WHERE y = ?1", (rng.randrange(7),))
            yield ("UPDATE t SET h = CASE WHEN id % 3 THEN vec_random(7, id) END WHERE y = ?1", (rng.randrange(7),))
            yield ("UPDATE t SET e = NULL WHERE id = ?1", (rng.randrange(1, last + 1),))
        elif draw < 0.74:
            yield ("DELETE FROM t WHERE id = ?1", (rng.randrange(1, last + 1),))
        elif draw < 0.78:
            first = rng.randrange(1, last + 1)
            yield ("DELETE FROM t WHERE id BETWEEN ?1 AND ?2", (first, first + 40))
        elif draw < 0.84:
            yield ("INSERT OR REPLACE INTO s(name, e) VALUES (?1, vec_random(5, ?2))", (f"k{rng.randrange(20)}", step))
        elif draw < 0.87:
            yield ("DELETE FROM s WHERE name > ?1", (f"k{rng.randrange(20)}",))
        elif draw < 0.93:
            yield ("INSERT INTO t(t, transform) VALUES ('transform column=e', ?1)", (rng.choice(transforms),))
        else:
            yield (f"INSERT INTO t(t) VALUES ('{rng.choice(['optimize', 'rebuild', 'unfit', 'integrity-check'])}')", ())


def connect(path):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.enable_load_extension(True)
    connection.load_extension(str(sqlite_shell.MODULE))
    return connection


def interfere(connection, rng):
    """What must leave no trace: reads, and changes that are taken back."""
    for _ in range(rng.randrange(3)):
        query = rng.choice(
            [
                "SELECT count(distance) FROM t WHERE e MATCH vec_random(40, 3) AND transform = 'none'",
                "SELECT count(*) FROM t WHERE f MATCH vec_f16(vec_random(9, 4)) AND y > 2 AND k = 5",
                "SELECT id FROM t WHERE g MATCH vec_bf16(vec_random(700, 5)) LIMIT 3",
                "SELECT count(*), sum(y) FROM t",
                "SELECT isovec_check('t')",
                "SELECT count(*) FROM t WHERE h IS NULL AND e IS NOT NULL",
                "SELECT id FROM t WHERE h MATCH vec_random(7, 9) AND e IS NULL AND k = 3",
                "SELECT * FROM isovec_info('t')",
            ]
        )
        connection.execute(query).fetchone()  # a cursor that is left in the middle, too
    if rng.random() < 0.3:
        connection.executescript(
            "SAVEPOINT s; INSERT INTO t(e, f, g) SELECT e, f, g FROM t; DELETE FROM t WHERE id % 3 = 0;"
            "INSERT INTO t(t) VALUES ('optimize'); INSERT INTO s(name, e) VALUES ('gone', '[1,2,3,4,5]');"
            "ROLLBACK TO s; RELEASE s"
        )
    try:  # a change that fails
        connection.execute("INSERT INTO t(id, e, f, g) SELECT id, e, f, '[1]' FROM t LIMIT 2")
    except sqlite3.Error:
        pass


def replay(path, seed, meddler, transforms):
    """Runs the log; with a meddler, in transactions of random sizes and with things in between."""
    connection, rng = connect(path), random.Random(meddler)
    connection.execute("PRAGMA synchronous = OFF")
    connection.executescript(CREATE)
    for sql, values in log(seed, transforms):
        if meddler:
            if connection.in_transaction and rng.random() < 0.2:
                connection.execute("COMMIT")
            elif not connection.in_transaction and rng.random() < 0.4:
                connection.execute("BEGIN")
            interfere(connection, rng)
            if not connection.in_transaction and rng.random() < 0.05:
                connection.close()
                connection = connect(path)
                connection.execute("PRAGMA synchronous = OFF")
        connection.execute(sql, values)
    if connection.in_transaction:
        connection.execute("COMMIT")
    assert connection.execute("SELECT isovec_check('t'), isovec_check('s')").fetchone() == ("ok", "ok")
    print(connection.execute("SELECT vec_backend()").fetchone()[0])


class Replay(unittest.TestCase):
    first = int(os.environ.get("ISOVEC_FIRST_SEED", "1"))
    seeds = range(first, first + int(os.environ.get("ISOVEC_REPLAY_SEEDS", "1")))

    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.dbhash = newest_sqlite.library().with_name("sqlite3_dbhash")
        connection = connect(":memory:")
        self.transforms = Path(self.place.name, "transforms")
        specs = ("center", "whiten eps=1", "whiten k=6", "standardize")
        fits = [
            connection.execute(
                "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 200) SELECT hex(vec_fit(vec_random(40, i), ?)) FROM c",
                (spec,),
            ).fetchone()[0]
            for spec in specs
        ]
        self.transforms.write_text("\n".join(fits))

    def tearDown(self):
        self.place.cleanup()

    def content(self, seed, meddler, isa):
        """The hash of the database that another process makes of the log, and the kernels it used."""
        path = Path(self.place.name, f"{seed} {meddler} {isa}.db")
        made = subprocess.run(
            [sys.executable, __file__, "--replay", path, str(seed), str(meddler), self.transforms],
            env={**os.environ, "ISOVEC_ISA": isa},
            check=True,
            capture_output=True,
            text=True,
        )
        found = subprocess.run([self.dbhash, path], check=True, capture_output=True, text=True).stdout.split()[0]
        path.unlink()
        return found, made.stdout.strip()

    def test_every_kind_of_kernel_gives_the_same_bytes(self):
        for seed in self.seeds:
            contents = [self.content(seed, 0, isa) for isa in ISAS]
            self.assertGreater(len({backend for _, backend in contents}), 1, "this machine has one kind of kernel only")
            self.assertEqual(len({found for found, _ in contents}), 1, f"seed {seed}: {contents}")

    def test_reads_and_savepoints_and_transactions_leave_no_trace(self):
        for seed in self.seeds:
            plain = self.content(seed, 0, "baseline")[0]
            for meddler in range(1, 4):
                self.assertEqual(self.content(seed, meddler, "avx2")[0], plain, f"seed {seed}, meddler {meddler}")

    def test_another_log_gives_other_bytes(self):
        self.assertNotEqual(self.content(1, 0, "baseline")[0], self.content(2, 0, "baseline")[0])


if __name__ == "__main__":
    if "--replay" in sys.argv:
        path, seed, meddler, transforms = sys.argv[2:]
        replay(path, int(seed), int(meddler), [bytes.fromhex(line) for line in Path(transforms).read_text().split()])
    else:
        unittest.main()
