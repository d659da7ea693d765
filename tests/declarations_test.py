"""Columns declared as tools that write SQL declare them: an isovec table and an ordinary one with the same declarations hold
the same values, refuse the same rows and answer the same conditions."""

import sqlite3
import struct
import unittest

import sqlite_shell

# A declaration without the name, as Django, SQLAlchemy, Rails, Prisma and people write them.
DECLARATIONS = [
    "VARCHAR(20)", "varchar(255) NOT NULL", "CHARACTER VARYING (20)", "NVARCHAR(100)", "CLOB", "BIGINT", "BIGINT UNSIGNED",
    "SMALLINT NOT NULL", "TINYINT(1)", "DATETIME", "datetime(6) NOT NULL", "TIMESTAMP DEFAULT '2020-01-01'", "DATE", "BOOLEAN",
    "bool NOT NULL DEFAULT FALSE", "BOOLEAN DEFAULT 1", "JSON", "JSONB", "DECIMAL(10, 2)", "NUMERIC(10,5) DEFAULT -1.50",
    "DOUBLE PRECISION", "REAL DEFAULT 2.5e-3", "FLOAT DEFAULT .5", "UUID", "CHAR(32) NOT NULL", "VARBINARY(16)", "BLOB DEFAULT x'0aFF'",
    "TEXT DEFAULT 'it''s (a) default'", "TEXT COLLATE NOCASE", "VARCHAR(9) COLLATE RTRIM DEFAULT 'a  ' NOT NULL",
    "text collate \"nocase\" not null default ''", "INTEGER NULL", "INTEGER DEFAULT (7)", "INTEGER DEFAULT +3", "INTEGER DEFAULT 0x1F",
    "TEXT DEFAULT NULL", "TEXT DEFAULT 5", "INTEGER DEFAULT '8'", "integer collate binary default null",
]
VALUES = [None, 0, 1, -7, 3.0, 2.5, 1e30, "", "a", "A", "a ", "ab", "AB ", "12", "12.0", "1e2", " 5", "x12", "true", "2020-01-01 10:00:00",
          "[1, 2]", b"", b"a", b"12"]
COMPARED = [0, 1, 3, 2.5, "a", "A", "a   ", "12", "12.0", 100, "2020-01-01 10:00:00", b"a"]


def connect():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.enable_load_extension(True)
    connection.load_extension(str(sqlite_shell.MODULE.with_suffix("")))
    return connection


class Calls(unittest.TestCase):
    def test_a_table_is_not_called_with_a_vector(self):
        connection = connect()
        connection.execute("CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, e float[2] distance_metric=l2)")
        connection.execute("INSERT INTO t(id, e) VALUES (1, '[1,0]'), (2, '[3,0]')")
        message = "^t: distance is compared with a vector: .* WHERE e MATCH <vector> AND k = <rows>$"
        for source, value in (("t('[1,0]')", ()), ("t(?)", (struct.pack("<2f", 1, 0),)), ("t('[1,0]', 5)", ()), ("t(vec_f32('[1,0]'))", ())):
            for rest in ("", " WHERE e MATCH '[1,0]'", " ORDER BY id LIMIT 1"):
                with self.subTest(source=source, rest=rest), self.assertRaisesRegex(sqlite3.OperationalError, message):
                    connection.execute(f"SELECT id FROM {source}{rest}", value).fetchall()
        for condition, rows in (("e MATCH '[0,0]' AND distance = 3", [(2,)]), ("e MATCH '[0,0]' AND distance = '3'", [(2,)]), ("distance = 3", []),
                                ("e MATCH '[0,0]' AND (distance = 1 OR id = 2)", [(1,), (2,)]), ("e MATCH '[0,0]' AND distance IN (1, 3)", [(1,), (2,)]),
                                ("distance = 'near'", []), ("distance = NULL", []), ("distance IS NULL", [(1,), (2,)])):
            with self.subTest(condition):
                self.assertEqual(connection.execute(f"SELECT id FROM t WHERE {condition}").fetchall(), rows)


class Declarations(unittest.TestCase):
    def setUp(self):
        self.connection = connect()
        self.addCleanup(self.connection.close)

    def rows(self, sql, *arguments):
        return self.connection.execute(sql, arguments).fetchall()

    def outcome(self, sql, *arguments):
        try:
            self.connection.execute(sql, arguments)
        except sqlite3.IntegrityError as error:
            return str(error).replace("t.x", "u.x")
        return "done"

    def make(self, declaration, form):
        self.connection.executescript("DROP TABLE IF EXISTS t; DROP TABLE IF EXISTS u")
        self.connection.execute(f"CREATE TABLE u(id INTEGER PRIMARY KEY, x {declaration})")
        column = {"metadata": f"x {declaration}", "indexed": f"x {declaration} INDEXED", "auxiliary": f"+x {declaration}",
                  "partition": f"x {declaration} PARTITION KEY"}[form]
        self.connection.execute(f"CREATE VIRTUAL TABLE t USING isovec(id INTEGER PRIMARY KEY, {column}, e float[2])")

    def forms(self, declaration):
        self.connection.execute(f"CREATE TABLE affinity(x {declaration.split(' NOT')[0].split(' not')[0]})")
        forms = ["metadata", "indexed", "auxiliary"]
        kind = declaration.upper()
        if "INT" in kind or "CHAR" in kind or "CLOB" in kind or "TEXT" in kind:
            forms.append("partition")
        self.connection.execute("DROP TABLE affinity")
        return forms

    def test_values_are_stored_and_refused_as_in_an_ordinary_table(self):
        for declaration in DECLARATIONS:
            for form in self.forms(declaration):
                self.make(declaration, form)
                default = " DEFAULT " in declaration.upper()
                for i, value in enumerate(VALUES):
                    with self.subTest(declaration=declaration, form=form, value=value):
                        if value is None and default:  # a virtual table is not told whether NULL was given
                            left = self.outcome("INSERT INTO u(id) VALUES (?)", i)
                        else:
                            left = self.outcome("INSERT INTO u(id, x) VALUES (?, ?)", i, value)
                        self.assertEqual(self.outcome("INSERT INTO t(id, x, e) VALUES (?, ?, '[1,2]')", i, value), left)
                with self.subTest(declaration=declaration, form=form):
                    self.assertEqual(self.outcome("INSERT INTO t(id, e) VALUES (900, '[1,2]')"), self.outcome("INSERT INTO u(id) VALUES (900)"))
                    for sql in ("UPDATE {} SET x = NULL WHERE id = 2", "UPDATE {} SET x = '7' WHERE id = 3",
                                "INSERT OR IGNORE INTO {}(id, x{}) VALUES (901, NULL{})", "UPDATE OR IGNORE {} SET x = NULL WHERE id = 4"):
                        if "OR IGNORE INTO" in sql and default:
                            continue
                        left = self.outcome(sql.format("u", "", ""))
                        self.assertEqual(self.outcome(sql.format("t", ", e", ", '[1,2]'")), left, sql)
                    self.assertEqual(self.rows("SELECT id, x, typeof(x) FROM t ORDER BY id"), self.rows("SELECT id, x, typeof(x) FROM u ORDER BY id"))
                    self.assertEqual(self.rows("SELECT isovec_check('t')"), [("ok",)])

    def test_conditions_mean_what_they_mean_on_an_ordinary_table(self):
        for declaration in DECLARATIONS:
            for form in self.forms(declaration):
                self.make(declaration, form)
                for i, value in enumerate(VALUES):
                    if value is not None:
                        self.connection.execute("INSERT INTO u(id, x) VALUES (?, ?)", (i, value))
                        self.connection.execute("INSERT INTO t(id, x, e) VALUES (?, ?, '[1,2]')", (i, value))
                search = "e MATCH '[2,1]' AND "
                for condition in ("x = ?", "x <> ?", "x < ?", "x >= ?", "x IN (?, 'zz')", "x IS ?", "x LIKE ?", "x = ? COLLATE NOCASE",
                                  "x = ? COLLATE BINARY", "x IN (?, 1, 'A') COLLATE RTRIM"):
                    for value in COMPARED:
                        expected = self.rows(f"SELECT id FROM u WHERE {condition} ORDER BY id", value)
                        with self.subTest(declaration=declaration, form=form, condition=condition, value=value):
                            self.assertEqual(self.rows(f"SELECT id FROM t WHERE {condition} ORDER BY id", value), expected)
                            self.assertEqual(self.rows(f"SELECT id FROM t WHERE {search}{condition} ORDER BY id", value), expected)
                            if form != "auxiliary" and "LIKE" not in condition:
                                self.assertEqual(self.rows(f"SELECT id FROM t WHERE {search}k = 100 AND {condition} ORDER BY id", value), expected)
                with self.subTest(declaration=declaration, form=form):
                    for sql in ("SELECT DISTINCT x FROM {} ORDER BY x, id", "SELECT count(*) FROM {} GROUP BY x ORDER BY x", "SELECT max(x), min(x) FROM {}",
                                "SELECT id FROM {} ORDER BY x, id"):
                        self.assertEqual(self.rows(sql.format("t")), self.rows(sql.format("u")))
                    names = "SELECT name, replace(lower(type), ' ', ''), \"notnull\" FROM pragma_table_info('{}') WHERE name <> 'e' AND name <> 'id'"
                    self.assertEqual(self.rows(names.format("t")), self.rows(names.format("u")))

    def test_an_index_answers_conditions_of_its_collation(self):
        self.make("TEXT COLLATE NOCASE", "indexed")
        plan = [row[3] for row in self.rows("EXPLAIN QUERY PLAN SELECT id FROM t_rows WHERE m0 COLLATE NOCASE = 'a'")]
        self.assertTrue(any("USING" in line and "INDEX" in line for line in plan), plan)

    def test_keys(self):
        for declaration, value in (("integer NOT NULL PRIMARY KEY", 5), ("BIGINT PRIMARY KEY NOT NULL", 5), ("VARCHAR(36) NOT NULL PRIMARY KEY", "five"),
                                   ("CHAR(32) PRIMARY KEY", "five"), ("INT8 PRIMARY KEY", 5)):
            with self.subTest(declaration):
                self.connection.executescript("DROP TABLE IF EXISTS t")
                self.connection.execute(f"CREATE VIRTUAL TABLE t USING isovec(id {declaration}, e float[2])")
                self.connection.execute("INSERT INTO t(id, e) VALUES (?, '[1,2]')", (value,))
                self.assertEqual(self.rows("SELECT id FROM t WHERE id = ?", value), [(value,)])
                self.assertEqual(self.outcome("INSERT INTO t(id, e) VALUES (?, '[1,2]')", value), "UNIQUE constraint failed: t.id")

    def test_a_change_that_is_refused_writes_nothing(self):
        self.make("TEXT NOT NULL", "metadata")
        self.connection.execute("INSERT INTO t(id, x, e) VALUES (1, 'a', '[1,2]')")
        before = self.rows("SELECT quote(value) FROM t_config UNION ALL SELECT quote(m0) FROM t_rows UNION ALL SELECT quote(data) FROM t_chunks")
        self.connection.execute("BEGIN")
        for sql in ("INSERT INTO t(id, e) VALUES (2, '[1,2]')", "UPDATE t SET x = NULL, e = '[3,4]'", "REPLACE INTO t(id, x, e) VALUES (1, NULL, '[3,4]')"):
            with self.assertRaises(sqlite3.IntegrityError) as caught:
                self.connection.execute(sql)
            self.assertEqual(caught.exception.sqlite_errorname, "SQLITE_CONSTRAINT_NOTNULL")
        self.connection.execute("COMMIT")
        after = self.rows("SELECT quote(value) FROM t_config UNION ALL SELECT quote(m0) FROM t_rows UNION ALL SELECT quote(data) FROM t_chunks")
        self.assertEqual(before, after)

    def test_the_time_of_an_insert(self):
        self.connection.execute("CREATE VIRTUAL TABLE t USING isovec(e float[1], made DATETIME DEFAULT CURRENT_TIMESTAMP, +day DATE DEFAULT CURRENT_DATE)")
        self.connection.execute("INSERT INTO t(e) VALUES ('[1]')")
        self.assertEqual(self.rows("SELECT made LIKE '2___-__-__ __:__:__', day LIKE '2___-__-__' FROM t"), [(1, 1)])
        self.connection.execute("INSERT INTO t(t) VALUES ('optimize')")  # a command is no row

    def test_what_cannot_be_declared_says_what_can(self):
        for column, message in (
            ("x text unique", "after its type a column takes PRIMARY KEY, PARTITION KEY, INDEXED, NOT NULL, DEFAULT or COLLATE, found 'unique'"),
            ("x text check (x > 1)", "found 'check'"), ("x int references u(id)", "found 'references'"),
            ("id integer primary key autoincrement", "found 'autoincrement'"), ("x text not", "expected NULL after NOT, found nothing"),
            ("x text default (datetime('now'))", "DEFAULT takes a number, a text in single quotes"), ("x text default \"a\"", "DEFAULT takes a number"),
            ("x text default", "DEFAULT takes .*found nothing"), ("x text collate german", "COLLATE takes BINARY, NOCASE or RTRIM"),
            ("x varchar()", "expected a number"), ("x varchar(3 4)", "expected '\\)'"), ("x varchar(a)", "expected a number"), ("x decimal(1,2,3)", "expected '\\)'"),
            ("x real partition key", "a partition key is INTEGER or TEXT, not real"), ("x blob primary key", "a primary key is INTEGER or TEXT, not blob"),
            ("x text primary key default 'a'", "a primary key has no DEFAULT"), ("x text primary key collate nocase", "a primary key has no COLLATE"),
            ("+x text indexed", "an auxiliary column has no INDEXED"), ("+x text primary key", "an auxiliary column has no PRIMARY KEY"),
            ("x text default x 'fg'", "a BLOB is written x'0f'"), ("x", "expected a type after the name, found nothing"),
            ("x not null", "expected a type after the name, found 'not'"),
        ):
            with self.subTest(column), self.assertRaisesRegex(sqlite3.OperationalError, message):
                self.connection.execute(f"CREATE VIRTUAL TABLE t USING isovec(e float[1], {column})")


if __name__ == "__main__":
    unittest.main()
