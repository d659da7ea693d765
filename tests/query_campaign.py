"""Random queries of random isovec tables against plain SQL over ordinary tables.

    query_campaign.py [--queries N] [--seed S] [--newest] [--refuse]

Each seed makes a table and asks it 100 queries, each under other settings of the planner: optimisations on, off or some of
them, and rows of scans reversed. --newest runs on SQLite 3.54 from PyPI's apsw; --refuse has SQLite withhold a random part
of the conditions it offers to the table. A difference prints its seed, and how to see it again."""

import argparse
import collections
import ctypes
import os
import random
import sqlite3
import sys
import time

import newest_sqlite
import sqlite_shell
from random_queries import Queries
from random_tables import Table

PER_TABLE = 100
OPTIMIZATIONS = 15  # SQLITE_TESTCTRL_OPTIMIZATIONS


class Planner:
    """Sets what SQLite's planner may do, which Python's module has no call for."""

    def __init__(self, connection):
        library = ctypes.CDLL(None)
        if not hasattr(library, "sqlite3_test_control"):
            library = ctypes.CDLL("libsqlite3.so.0")
        self.control = library.sqlite3_test_control
        # The connection's handle is the first field of Python's object.
        self.handle = ctypes.c_void_p.from_address(id(connection) + object.__basicsize__)
        self.connection = connection

    def set(self, mask, reversed_scans):
        if self.control(OPTIMIZATIONS, self.handle, ctypes.c_int(mask)) != 0:
            raise RuntimeError("SQLite refused sqlite3_test_control")
        self.connection.execute(f"PRAGMA reverse_unordered_selects = {int(reversed_scans)}")


def module(refuse):
    if not refuse:
        return sqlite_shell.MODULE
    os.environ["ISOVEC_MODULE"] = str(sqlite_shell.MODULE)
    return sqlite_shell.MODULE.parent / "tests/isovec_refusing.so"


def answer(connection, sql, parameters):
    """The rows; or a row with the error, where one that plain SQL meets must be met by the search too."""
    try:
        return connection.execute(sql, parameters).fetchall()
    except sqlite3.Error as error:
        return [(str(error), None)]


class Campaign:
    def __init__(self, refuse):
        self.refuse, self.forms, self.differences = refuse, collections.Counter(), 0

    def connect(self, seed):
        connection = sqlite3.connect(":memory:", isolation_level=None, cached_statements=0)
        connection.enable_load_extension(True)
        if self.refuse:
            os.environ["ISOVEC_REFUSE_SEED"] = str(seed)
        connection.load_extension(str(module(self.refuse)))
        return connection

    def run_seed(self, seed, queries):
        rng = random.Random(seed)
        connection = self.connect(seed)
        rows = rng.choice([0, 1, 30, 120, 300, 700])
        table = Table(rng, lambda sql, values=(): connection.execute(sql, values), rows)
        planner = Planner(connection)
        generator = Queries(
            table, lambda sql, values: [row[0] for row in connection.execute(sql, values)], not self.refuse
        )
        for number in range(queries):
            pair = generator.draw()
            self.forms[pair.form] += 1
            expected = answer(connection, pair.expected, pair.parameters)
            mask, backwards = rng.choice([0, 0, 0xFFFF, rng.randrange(0x10000)]), rng.random() < 0.3
            planner.set(mask, backwards)
            found = answer(connection, pair.asked, pair.parameters)
            planner.set(0, False)
            if not pair.agrees(found, expected):
                self.report(seed, number, table, pair, found, expected, mask, backwards)
        check = connection.execute("SELECT isovec_check('t')").fetchone()[0]
        if check != "ok":
            self.differences += 1
            print(f"seed {seed}: isovec_check says {check}")
        connection.close()

    def report(self, seed, number, table, pair, found, expected, mask, backwards):
        self.differences += 1
        print(
            f"seed {seed}, query {number}, form {pair.form}, optimisations off {mask:#x}, reversed {backwards}\n"
            f"  {table.sql}\n  {pair.asked}\n  plain: {pair.expected}\n  parameters {pair.parameters}\n"
            f"  found {len(found)} rows, expected {len(expected)}; the first that differ:"
        )
        for i in range(max(len(found), len(expected))):
            pairs = [rows[i] if i < len(rows) else "nothing" for rows in (found, expected)]
            if pairs[0] != pairs[1]:
                print(f"    row {i}: found {pairs[0]}, expected {pairs[1]}")
                break


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--newest", action="store_true")
    parser.add_argument("--refuse", action="store_true")
    arguments = parser.parse_args()
    if arguments.newest:
        newest_sqlite.require()
    campaign, begin, asked, seed = Campaign(arguments.refuse), time.monotonic(), 0, arguments.seed
    while asked < arguments.queries and campaign.differences < 10:
        queries = min(PER_TABLE, arguments.queries - asked)
        campaign.run_seed(seed, queries)
        asked, seed = asked + queries, seed + 1
    for form, count in sorted(campaign.forms.items()):
        print(f"{count:8} {form}")
    print(
        f"SQLite {sqlite3.sqlite_version}{', conditions refused' if arguments.refuse else ''}: {asked} queries of "
        f"{seed - arguments.seed} tables from seed {arguments.seed}, {campaign.differences} differences, "
        f"{time.monotonic() - begin:.0f} s"
    )
    return 1 if campaign.differences else 0


if __name__ == "__main__":
    sys.exit(main())
