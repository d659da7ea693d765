"""Searches as hosts run them: under an authorizer, given up half-way, in joins and with row values, each beside plain SQL or
a closed form. `search_hosts_test.py --newest` runs them on a newer SQLite, which offers a table other constraints."""

import itertools
import sqlite3
import sys
import unittest

import newest_sqlite
import sqlite_shell

ROWS = [(1, 1.0, 1, 1), (2, 2.0, 1, 1), (3, 3.0, 2, 2), (4, 4.0, 2, 2), (5, 0.5, 9, 9)]
DENY_PRAGMA = {sqlite3.SQLITE_PRAGMA: sqlite3.SQLITE_DENY}


def connect():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.enable_load_extension(True)
    connection.load_extension(str(sqlite_shell.MODULE))
    return connection


def small_table(declared="a integer, b integer"):
    """Five rows; the distance of each from 0 is its second value."""
    connection = connect()
    connection.execute(f"CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[2] distance_metric=l2, {declared})")
    connection.executemany("INSERT INTO t(id, e, a, b) VALUES (?1, '[' || ?2 || ',0]', ?3, ?4)", ROWS)
    return connection


def coded_table(rows=1500):
    """Rows with codes: the vector of row n is (n, 1, 0, ..., 0)."""
    connection = connect()
    connection.execute("CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[16] distance_metric=l2)")
    connection.execute(
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ?) INSERT INTO t(id, e) "
        "SELECT n, '[' || n || ',1' || replace(hex(zeroblob(14)), '00', ',0') || ']' FROM c",
        [rows],
    )
    return connection


QUERY = "[0,1" + ",0" * 14 + "]"


class Joins(unittest.TestCase):
    """k counts before a join and before row values, however SQLite runs the query: the nearest rows are 5, 1."""

    def answers(self, connection, sql, parameters=()):
        for setting in ("OFF", "ON"):
            connection.execute(f"PRAGMA reverse_unordered_selects = {setting}")
            yield sorted(connection.execute(sql, parameters).fetchall())

    def test_k_counts_before_row_values(self):
        connection = small_table()
        pairs = "(VALUES (1, 1), (2, 2), (9, 9))"
        connection.execute("CREATE TABLE pairs(a, b)")
        connection.execute("INSERT INTO pairs VALUES (1, 1), (2, 2), (9, 9)")
        for source, k in itertools.product((pairs, "(SELECT a, b FROM pairs)", "(VALUES (1, 1), (2, 2))"), range(1, 6)):
            kept = {1, 2, 9} if "9" in source or "pairs" in source else {1, 2}
            nearest = sorted(ROWS, key=lambda row: row[1])[:k]
            expected = sorted(row[0] for row in nearest if row[2] in kept)
            sql = f"SELECT id FROM t WHERE e MATCH '[0,0]' AND k = ? AND (a, b) IN {source}"
            with self.subTest(sql, k=k):
                for found in self.answers(connection, sql, [k]):
                    self.assertEqual([row[0] for row in found], expected)

    def test_a_row_value_leaves_the_order_of_a_stream(self):
        connection = small_table()
        sql = "SELECT id FROM t WHERE e MATCH '[0,0]' AND (a, b) IN (VALUES (2, 2), (1, 1), (9, 9))"
        self.assertEqual([row[0] for row in connection.execute(sql)], [5, 1, 2, 3, 4])

    def test_k_counts_before_an_inner_join(self):
        for declared in ("a integer, b integer", "a integer partition key, b integer", "a integer indexed, b integer"):
            for other in ("o(n, a)", "o(n INTEGER PRIMARY KEY, a)", "o(n, a UNIQUE)", "o(a PRIMARY KEY, n) WITHOUT ROWID"):
                connection = small_table(declared)
                connection.execute(f"CREATE TABLE {other}")
                connection.execute("INSERT INTO o(n, a) VALUES (1, 1), (2, 2)")
                for join, analyzed, end in itertools.product(
                    ("o JOIN t USING (a)", "t JOIN o USING (a)", "o, t ON o.a = t.a", "t CROSS JOIN o USING (a)"),
                    (False, True),
                    ("", " AND n = 1", " AND n > 0 ORDER BY n", " ORDER BY distance", " AND t.b = 1 ORDER BY id"),
                ):
                    if analyzed:
                        connection.execute("ANALYZE")
                    sql = f"SELECT id FROM {join} WHERE e MATCH '[0,0]' AND k = 2{end}"
                    # Of the nearest two, 5 has no partner; b = 1 is the table's own and is counted: then 1 and 2.
                    expected = [1, 2] if "t.b" in end else [1]
                    with self.subTest(sql, declared=declared, other=other):
                        for found in self.answers(connection, sql):
                            self.assertEqual([row[0] for row in found], expected)

    def test_a_cross_join_and_a_left_join_search_once_a_row(self):
        connection = small_table()
        connection.execute("CREATE TABLE o(n, a)")
        connection.execute("INSERT INTO o VALUES (1, 1), (2, 2), (3, 3)")
        each = [(1, 1), (1, 2), (2, 3), (2, 4)]
        sql = "SELECT n, id FROM o CROSS JOIN t ON o.a = t.a WHERE e MATCH '[0,0]' AND k = 2"
        for found in self.answers(connection, sql):
            self.assertEqual(found, each)
        sql = "SELECT n, id FROM o LEFT JOIN t ON o.a = t.a AND e MATCH '[0,0]' AND k = 2 ORDER BY n, id"
        self.assertEqual(connection.execute(sql).fetchall(), each + [(3, None)])


class Hosts(unittest.TestCase):
    def test_a_search_needs_no_pragma(self):
        connection = coded_table()
        connection.execute("PRAGMA cache_size = -100000")
        connection.set_authorizer(lambda action, *_: DENY_PRAGMA.get(action, sqlite3.SQLITE_OK))
        for _ in range(3):
            found = connection.execute("SELECT id FROM t WHERE e MATCH ? AND k = 3", [QUERY]).fetchall()
            self.assertEqual(found, [(1,), (2,), (3,)])
        with self.assertRaisesRegex(sqlite3.DatabaseError, "not authorized"):
            connection.execute("PRAGMA cache_size")

    def test_a_search_given_up_leaves_writers_alone(self):
        for rows in (5, 1500):
            for begin, end in (("BEGIN", "ROLLBACK"), ("SAVEPOINT s", "ROLLBACK TO s; RELEASE s")):
                with self.subTest(rows=rows, end=end):
                    connection = coded_table(rows)
                    connection.execute(begin)
                    connection.execute("INSERT INTO t(id, e) VALUES (9000, ?)", [QUERY])
                    search = connection.execute("SELECT id FROM t WHERE e MATCH ?", [QUERY])
                    self.assertEqual(search.fetchone(), (9000,))
                    for statement in end.split("; "):
                        connection.execute(statement)
                    connection.execute("INSERT INTO t(id, e) VALUES (9001, ?)", [QUERY])
                    connection.execute("UPDATE t SET e = ? WHERE id = 3", [QUERY])
                    connection.execute("DELETE FROM t WHERE id = 2")
                    try:  # it may have all its rows, or say that they are gone
                        search.fetchall()
                    except sqlite3.OperationalError as error:
                        self.assertIn("rolled back", str(error))
                    nearest = connection.execute("SELECT id FROM t WHERE e MATCH ? AND k = 3", [QUERY]).fetchall()
                    self.assertEqual(nearest, [(3,), (9001,), (1,)])
                    self.assertEqual(connection.execute("SELECT isovec_check('t')").fetchone(), ("ok",))


@unittest.skipIf(sqlite3.sqlite_version_info < (3, 44), "this SQLite does not ask tables")
class Checks(unittest.TestCase):
    def damaged(self, sql):
        """A table with codes, auxiliary values and a fit after some damage."""
        connection = connect()
        connection.execute(
            "CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[8] transform='center', m integer, +x text)"
        )
        connection.execute(
            "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 700) INSERT INTO t(id, e, m, x) "
            "SELECT n, vec_random(8, n), n % 7, 'x' FROM c"
        )
        connection.execute("INSERT INTO t(t) VALUES ('fit')")
        self.assertEqual(connection.execute("PRAGMA quick_check").fetchall(), [("ok",)])
        connection.execute(sql)
        return connection

    def test_damage_is_named_by_pragma_integrity_check(self):
        flipped = "UPDATE t_{0} SET {1} = CAST(substr({1}, 1, 40) || x'5a' || substr({1}, 42) AS BLOB)"
        for sql, quick in (
            (flipped.format("chunks", "data"), False),
            (flipped.format("codes", "data"), False),
            (flipped.format("norms", "data"), False),
            ("UPDATE t_aux SET a0 = 'y' WHERE id = 3", False),
            ("UPDATE t_rows SET m0 = 1 + m0 WHERE id = 3", True),
            ("DELETE FROM t_rows WHERE id = 3", True),
            ("DELETE FROM t_codes WHERE id = (SELECT min(id) FROM t_codes)", True),
            ("DELETE FROM t_norms WHERE id = (SELECT min(id) FROM t_norms)", True),
            ("INSERT INTO t_room VALUES (7)", True),
            (flipped.format("slots", "map"), True),
        ):
            with self.subTest(sql):
                connection = self.damaged(sql)
                self.assertIn("t: ", connection.execute("PRAGMA integrity_check").fetchone()[0])
                found = connection.execute("PRAGMA quick_check").fetchone()[0]
                self.assertEqual(found != "ok", quick, found)


if __name__ == "__main__":
    if "--newest" in sys.argv:
        newest_sqlite.require()
        sys.argv.remove("--newest")
    unittest.main()
