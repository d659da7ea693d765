"""Runs the long forms of the campaigns one after the other, each round from seeds of its own, at low priority.

    campaigns.py RESULTS [--hours H] [--only NAME...]       campaigns.py RESULTS --sums

RESULTS is a file of lines, one a round: date, commit, campaign, what was counted, how many, failures, seconds. The seeds
of a round follow from how many rounds of that campaign the file has. --sums adds up the lines as a table.
Called by campaigns.sh, which builds what is needed.
"""

import argparse
import datetime
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import newest_sqlite

PROJECT = Path(__file__).resolve().parent.parent
TESTS = PROJECT / "build/dev/tests"
PYTHON = os.environ.get("ISOVEC_PYTHON", "/usr/bin/python3")


def script(name, *arguments):
    return [PYTHON, str(PROJECT / "tests" / name), *arguments]


def number(pattern):
    """How many a program says that it did: the sum of what `pattern` finds in what it prints."""
    return lambda text: sum(int(found) for found in re.findall(pattern, text))


# Name: what is counted, the round's command for a seed s (each round has `span` seeds), its environment, how many it
# did. A round takes some minutes.
CAMPAIGNS = {
    "queries": ("queries", 1000, lambda s: script("query_campaign.py", "--queries", "4000", "--seed", str(s)), {},
                number(r"(\d+) queries of")),
    "queries on the newest SQLite": (
        "queries", 1000, lambda s: script("query_campaign.py", "--queries", "4000", "--newest", "--seed", str(s)), {},
        number(r"(\d+) queries of")),
    "kills": ("kills", 1, lambda s: script("crash_campaign.py", "--cycles", "500", "--seed", str(s)), {},
              number(r"(\d+) kills")),
    "page edits": ("files", 20_000, lambda s: [TESTS / "storage_page_edits_test"],
                   lambda s: {"ISOVEC_PAGE_EDITS": "20000", "ISOVEC_FIRST_SEED": str(s)}, lambda text: 20_000),
    "forged files": ("files", 20_000, lambda s: [TESTS / "storage_forger_test"],
                     lambda s: {"ISOVEC_FORGED_FILES": "20000", "ISOVEC_FIRST_SEED": str(s)}, lambda text: 20_000),
    "forged files on the newest SQLite": (
        "files", 20_000, lambda s: script("newest_sqlite.py", str(TESTS / "storage_forger_test")),
        lambda s: {"ISOVEC_FORGED_FILES": "20000", "ISOVEC_FIRST_SEED": str(s)}, lambda text: 20_000),
    "forged BLOBs": ("calls", 1, lambda s: [TESTS / "fuzz_forger_test"],
                     lambda s: {"ISOVEC_FORGED_CALLS": "100000", "ISOVEC_FIRST_SEED": str(s)},
                     number(r"(\d+) calls of forged BLOBs")),
    "forged files": ("files", 5_000, lambda s: [TESTS / "storage_forger_test"],
                     lambda s: {"ISOVEC_FORGED_FILES": "5000", "ISOVEC_FIRST_SEED": str(s)},
                     number(r"forged files: (\d+)")),
    "forged files on the newest SQLite": (
        "files", 5_000, lambda s: [TESTS / "storage_forger_test"],
        lambda s: {"ISOVEC_FORGED_FILES": "5000", "ISOVEC_FIRST_SEED": str(s),
                   "LD_PRELOAD": str(newest_sqlite.library())},
        number(r"forged files: (\d+)")),
    "model": ("steps", 60, lambda s: [TESTS / "surface_vector_table_model_test"],
              lambda s: {"ISOVEC_MODEL_SEEDS": "60", "ISOVEC_FIRST_SEED": str(s)}, lambda text: 60 * 500),
    "model of types": ("steps", 100, lambda s: [TESTS / "surface_vector_table_types_model_test"],
                       lambda s: {"ISOVEC_MODEL_SEEDS": "100", "ISOVEC_FIRST_SEED": str(s)}, lambda text: 100 * 100),
    "replay": ("logs", 5, lambda s: script("replay_test.py"),
               lambda s: {"ISOVEC_REPLAY_SEEDS": "5", "ISOVEC_FIRST_SEED": str(s)}, lambda text: 5),
    "soak": ("transactions", 1, lambda s: script("soak.py", "--seconds", "300", "--seed", str(s)), {},
             number(r"(\d+) transactions")),
    "faults": ("faults", 1, lambda s: [TESTS / "storage_fault_test"], {"ISOVEC_FAULT_STRIDE": "1"},
               number(r"faults injected: (\d+)")),
    "power cuts": ("cuts", 1, lambda s: [TESTS / "storage_power_loss_test"], {"ISOVEC_POWER_CUTS": "3"},
                   number(r"(\d+) cuts")),
    "forged BLOBs": ("calls", 1, lambda s: [TESTS / "fuzz_forger_test"],
                     lambda s: {"ISOVEC_FORGED_CALLS": "500000", "ISOVEC_FIRST_SEED": str(s)},
                     number(r"(\d+) calls of forged")),
    "fuzzers": ("executions", 1, lambda s: ["bash", str(PROJECT / "tests/fuzz.sh"), "60"], {},
                number(r"stat::number_of_executed_units: *(\d+)")),
}
ONCE = ("faults", "power cuts")  # they try everything: a second round would be the first again


def lines_of(results):
    if not results.exists():
        return []
    return [line.split("\t") for line in results.read_text().splitlines() if line and not line.startswith("#")]


def run_round(results, name):
    counted, span, command, environment, count = CAMPAIGNS[name]
    rounds = sum(line[2] == name for line in lines_of(results))
    seed = 1 + rounds * span
    settings = environment(seed) if callable(environment) else environment
    begin = time.monotonic()
    done = subprocess.run(
        ["nice", "-n", "19", *command(seed)], capture_output=True, text=True, errors="replace",
        env={**os.environ, "ISOVEC_MODULE": str(PROJECT / "build/release/isovec.so"), **settings},
    )
    text = done.stdout + done.stderr
    commit = subprocess.run(["git", "-C", PROJECT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    line = [datetime.date.today().isoformat(), commit.stdout.strip(), name, counted, str(count(text)),
            str(int(done.returncode != 0)), f"{time.monotonic() - begin:.0f}"]
    with results.open("a") as file:
        file.write("\t".join(line) + "\n")
    print("\t".join(line), flush=True)
    if done.returncode != 0:
        print(text[-4000:], flush=True)
    return done.returncode == 0


def sums(results):
    total = {}
    for date, commit, name, counted, count, failures, seconds in lines_of(results):
        entry = total.setdefault(name, [counted, 0, 0, 0, date, commit, date, commit])
        entry[1] += int(count)
        entry[2] += int(failures)
        entry[3] += int(seconds)
        entry[6:] = [date, commit]
    print("| campaign | done | rounds that failed | hours | from | to |\n|---|---|---|---|---|---|")
    for name, (counted, count, failures, seconds, *span) in total.items():
        print(f"| {name} | {count:,} {counted} | {failures} | {seconds / 3600:.1f} | {span[0]} {span[1]} | {span[2]} {span[3]} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--hours", type=float, default=8)
    parser.add_argument("--only", nargs="*", choices=CAMPAIGNS)
    parser.add_argument("--sums", action="store_true")
    arguments = parser.parse_args()
    if arguments.sums:
        return sums(arguments.results)
    arguments.results.parent.mkdir(parents=True, exist_ok=True)
    begin, failed, tried = time.monotonic(), 0, set()
    while not failed:
        for name in arguments.only or CAMPAIGNS:
            if name in ONCE and name in tried:
                continue
            if time.monotonic() - begin > arguments.hours * 3600:
                return failed
            tried.add(name)
            failed += not run_round(arguments.results, name)
        if tried <= set(ONCE):
            return failed
    return failed


if __name__ == "__main__":
    sys.exit(main())
