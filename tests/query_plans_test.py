"""What EXPLAIN QUERY PLAN says of each form of query: tests/golden/query_plans.txt holds the queries, each under what it
shows, and the plan that was agreed for it. `query_plans_test.py --write` writes the plans anew; read what changed."""

import re
import sqlite3
import sys
import unittest
from pathlib import Path

import sqlite_shell

GOLDEN = Path(__file__).parent / "golden/query_plans.txt"
SETUP = """
CREATE VIRTUAL TABLE t USING isovec(
  id INTEGER PRIMARY KEY, e float[3] transform='center', f float16[2] distance_metric=l2,
  tenant text partition key, year integer, lang text indexed, +body text);
CREATE VIRTUAL TABLE s USING isovec(name TEXT PRIMARY KEY, e float[3]);
CREATE TABLE q(n INTEGER PRIMARY KEY, v, k, word TEXT);
CREATE TABLE u(id INTEGER PRIMARY KEY, x TEXT);
"""


def plan(connection, query):
    """The plan's tree, each step on a line, indented below its parent, without the part that is for the machine."""
    depth, lines = {0: 0}, []
    for step, parent, _, detail in connection.execute("EXPLAIN QUERY PLAN " + query, [None] * query.count("?")):
        depth[step] = depth.get(parent, 0) + 1
        lines.append("  " * depth[step] + re.sub(r" \{[^{}]*\}", "", detail))
    return lines


def blocks(text):
    """(heading, query) for each paragraph of the file: '-- heading', the query, then its plan, indented."""
    for paragraph in text.strip().split("\n\n"):
        lines = paragraph.splitlines()
        yield lines[0], "\n".join(line for line in lines[1:] if not line.startswith("  ")), lines


def connect():
    connection = sqlite3.connect(":memory:")
    connection.enable_load_extension(True)
    connection.load_extension(str(sqlite_shell.MODULE))
    connection.executescript(SETUP)
    return connection


class QueryPlans(unittest.TestCase):
    maxDiff = None

    @unittest.skipUnless(sqlite3.sqlite_version.startswith("3.40"), "the words of other versions differ")
    def test_plans_are_those_agreed(self):
        connection = connect()
        for heading, query, lines in blocks(GOLDEN.read_text()):
            with self.subTest(heading):
                self.assertEqual([heading, *query.splitlines(), *plan(connection, query)], lines)


if __name__ == "__main__":
    if "--write" in sys.argv:
        connection = connect()
        GOLDEN.write_text(
            "\n\n".join(
                "\n".join([heading, query, *plan(connection, query)])
                for heading, query, _ in blocks(GOLDEN.read_text())
            )
            + "\n"
        )
    else:
        unittest.main()
