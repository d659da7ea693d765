"""The correlations that the quickstart prints are those of the same data in float64 NumPy."""

import re
import unittest

import sqlite_shell

# Spearman x 100 between cosine and judgement for ws353, simlex999 and men3k, computed outside isovec: covariance
# with n - 1, numpy.linalg.eigh, mid-ranks, and a ridge of the mean eigenvalue for eps=1.
EXPECTED = {
    "none": (53.37, 24.41, 62.33),
    "center": (61.56, 25.43, 68.40),
    "project_mean": (63.77, 26.39, 68.63),
    "remove_top": (65.35, 23.75, 68.65),
    "whiten": (67.73, 27.13, 69.51),
    "whiten eps=1": (66.17, 27.00, 70.33),
}
TOLERANCE = 0.1


class Quickstart(unittest.TestCase):
    def test_correlations_are_those_of_numpy(self):
        sql = (sqlite_shell.PROJECT / "sql/quickstart.sql").read_text(encoding="utf-8")
        printed = sqlite_shell.run(sql, "-bail")
        self.assertEqual((printed.status, printed.errors), (0, []))
        rows = [re.fullmatch(r"(\S+(?: \S+)*) {2,}(\d+\.\d\d) +(\d+\.\d\d) +(\d+\.\d\d)", line) for line in printed.lines]
        found = {row[1]: tuple(map(float, row.groups()[1:])) for row in rows if row}
        self.assertEqual(found.keys(), EXPECTED.keys())
        for spec, figures in EXPECTED.items():
            for figure, expected in zip(found[spec], figures):
                self.assertAlmostEqual(figure, expected, delta=TOLERANCE, msg=spec)


if __name__ == "__main__":
    unittest.main()
