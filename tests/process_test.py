"""A table between processes and tools: several processes on one database, the module loaded again and again, .dump."""

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import sqlite_shell

LOADS = 2000


def connect(path, **options):
    connection = sqlite3.connect(path, isolation_level=None, timeout=20, **options)
    connection.enable_load_extension(True)
    connection.load_extension(str(sqlite_shell.MODULE))
    return connection


def resident_kilobytes():
    return int(next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in line).split()[1])


def fill(connection, rows=200):
    connection.executescript(
        "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[8] transform='center', v integer, +body text);"
        f"WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {rows})"
        "INSERT INTO t(id, e, v, body) SELECT i, vec_random(8, i), 0, 'body ' || i FROM c; INSERT INTO t(t) VALUES ('fit')"
    )


def fork(work):
    """Runs `work` in a process of its own and returns the process."""
    process = os.fork()
    if process == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return process


class Processes(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.path = str(Path(self.place.name, "one.db"))

    def tearDown(self):
        self.place.cleanup()

    def test_readers_in_other_processes_see_whole_transactions(self):
        for journal in ("wal", "delete"):
            with self.subTest(journal):
                Path(self.path).unlink(missing_ok=True)
                connection = connect(self.path)
                connection.execute(f"PRAGMA journal_mode = {journal}")
                fill(connection)
                connection.close()
                readers = [fork(self.read) for _ in range(3)]
                connection = connect(self.path)
                for n in range(1, 25):
                    connection.executescript(
                        f"BEGIN IMMEDIATE; UPDATE t SET v = {n}, e = vec_random(8, id + {n}); DELETE FROM t WHERE id % 9 = {n} % 9;"
                        f"INSERT INTO t(id, e, v) SELECT value, vec_random(8, value), {n} FROM json_each('{list(range(1, 201))}') "
                        "WHERE value NOT IN (SELECT id FROM t); INSERT INTO t(t) VALUES ('fit'); COMMIT"
                    )
                connection.execute("CREATE TABLE done(x)")
                connection.close()
                for reader in readers:
                    self.assertEqual(os.waitpid(reader, 0)[1], 0)

    def read(self):
        connection = connect(self.path)
        done = "SELECT count(*) FROM sqlite_schema WHERE name = 'done'"
        while connection.execute(done).fetchone()[0] == 0:
            for where in ("", " WHERE e MATCH vec_random(8, 3)"):
                found = connection.execute("SELECT count(*), max(v) - min(v) FROM t" + where).fetchone()
                assert found == (200, 0), found
            assert connection.execute("SELECT isovec_check('t')").fetchone() == ("ok",)

    def test_writers_in_several_processes_wait_for_each_other(self):
        connection = connect(self.path)
        fill(connection)
        connection.close()

        def write():
            own = connect(self.path)
            for _ in range(20):
                own.execute("INSERT INTO t(e, v) VALUES (vec_random(8, 1), 7)")

        writers = [fork(write) for _ in range(3)]
        for writer in writers:
            self.assertEqual(os.waitpid(writer, 0)[1], 0)
        connection = connect(self.path)
        self.assertEqual(connection.execute("SELECT count(*), isovec_check('t') FROM t").fetchone(), (260, "ok"))

    def test_a_process_that_dies_in_a_transaction_leaves_the_table_as_it_was(self):
        connection = connect(self.path)
        fill(connection)
        before = connection.execute("SELECT * FROM t").fetchall()
        connection.close()

        def die():
            own = connect(self.path)
            own.execute("PRAGMA cache_size = 2")
            own.executescript("BEGIN; DELETE FROM t WHERE id < 150; INSERT INTO t(t) VALUES ('optimize')")
            os.kill(os.getpid(), signal.SIGKILL)

        os.waitpid(fork(die), 0)
        connection = connect(self.path)
        self.assertEqual(connection.execute("SELECT * FROM t").fetchall(), before)
        self.assertEqual(connection.execute("SELECT isovec_check('t')").fetchone(), ("ok",))

    def test_the_module_is_loaded_and_closed_2000_times_and_the_process_does_not_grow(self):
        connect(self.path).executescript(
            "CREATE VIRTUAL TABLE t USING isovec(e float[8]); INSERT INTO t(e) VALUES (vec_random(8, 1))"
        )
        sizes = []
        for number in range(LOADS):
            connection = connect(self.path)
            self.assertEqual(
                connection.execute("SELECT count(*) FROM t WHERE e MATCH vec_random(8, 2)").fetchone(), (1,)
            )
            connection.close()
            if number in (LOADS // 10, LOADS - 1):
                sizes.append(resident_kilobytes())
        self.assertLess(sizes[1] - sizes[0], 2000, "kilobytes")  # a leak of 1 KB a load would show

    def test_the_module_may_be_loaded_twice_and_from_two_files(self):
        copy = Path(self.place.name, "isovec.so")
        shutil.copy(sqlite_shell.MODULE, copy)
        connection = connect(self.path)
        fill(connection, 20)
        connection.load_extension(str(sqlite_shell.MODULE))
        connection.execute("INSERT INTO t(e, v) VALUES (vec_random(8, 1), 1)")
        other = sqlite3.connect(self.path)
        other.enable_load_extension(True)
        other.load_extension(str(copy))
        for each in (connection, other):
            self.assertEqual(each.execute("SELECT count(*), isovec_check('t') FROM t").fetchone(), (21, "ok"))

    def test_a_dump_makes_the_same_database(self):
        connection = connect(self.path)
        fill(connection, 60)
        before = connection.execute("SELECT id, e, v, body FROM t").fetchall()
        near = "SELECT id, distance FROM t WHERE e MATCH vec_random(8, 4) AND v = 0 AND k = 9"
        nearest = connection.execute(near).fetchall()
        connection.close()
        shell = [sqlite_shell.SQLITE3, "-batch", "-init", os.devnull]
        load = f".load {sqlite_shell.MODULE.with_suffix('')}\n"
        dump = subprocess.run(
            [*shell, self.path], input=load + ".dump\n", capture_output=True, text=True, check=True
        ).stdout
        self.assertIn("CREATE TABLE IF NOT EXISTS 't_rows'", dump.replace('"', "'"))
        copy = str(Path(self.place.name, "copy.db"))
        # The shell writes the schema table itself, which defensive mode forbids.
        made = subprocess.run(
            [*shell, copy], input=load + ".dbconfig defensive off\n" + dump, capture_output=True, text=True
        )
        self.assertEqual(made.stderr, "")
        connection = connect(copy)
        self.assertEqual(connection.execute("SELECT id, e, v, body FROM t").fetchall(), before)
        self.assertEqual(connection.execute(near).fetchall(), nearest)
        self.assertEqual(connection.execute("SELECT isovec_check('t')").fetchone(), ("ok",))
        connection.execute("INSERT INTO t(e, v) VALUES (vec_random(8, 1), 1)")

    def test_a_database_in_a_directory_that_cannot_be_written_is_read(self):
        connection = connect(self.path)
        fill(connection, 30)
        connection.close()
        for query in ("mode=ro", "immutable=1", "mode=ro&immutable=1"):
            connection = connect(f"file:{self.path}?{query}", uri=True)
            found = connection.execute(
                "SELECT count(*), isovec_check('t') FROM t WHERE e MATCH vec_random(8, 4)"
            ).fetchone()
            self.assertEqual(found, (30, "ok"))
            with self.assertRaisesRegex(sqlite3.OperationalError, "readonly"):
                connection.execute("DELETE FROM t")
            connection.close()
        self.assertEqual(sorted(os.listdir(self.place.name)), ["one.db"])  # nothing was left beside it

    def test_memory_of_a_search_follows_the_answer_not_the_table(self):
        """A limit on the address space that holds a fifth of the vectors."""

        def search():
            connection = connect(self.path)
            used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
            resource.setrlimit(resource.RLIMIT_AS, (used + 16_000_000,) * 2)
            connection.execute("PRAGMA cache_size = -1000")
            for sql in ("e MATCH vec_random(512, 1) AND k = 10", "e MATCH vec_random(512, 1) AND id % 2 AND k = 10"):
                assert len(connection.execute(f"SELECT id FROM t WHERE {sql}").fetchall()) >= 3

        connection = connect(self.path)
        connection.executescript(
            "PRAGMA synchronous = OFF; CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[512]);"
            "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 40000)"
            "INSERT INTO t(id, e) SELECT i, r FROM c CROSS JOIN (SELECT vec_random(512, 9) AS r)"
        )
        connection.close()
        self.assertEqual(os.waitpid(fork(search), 0)[1], 0)


if __name__ == "__main__":
    unittest.main()
