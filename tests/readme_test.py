"""The README's SQL prints what it says it prints, and its reference is what vec_help says."""

import difflib
import re
import unittest

import reference
import sqlite_shell


class Readme(unittest.TestCase):
    def setUp(self):
        self.text = reference.README.read_text(encoding="utf-8")

    def test_its_sql_prints_what_it_says(self):
        text = "".join(reference.around(self.text))
        blocks = re.findall(r"^```sql\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        self.assertGreater(len(blocks), 3)
        sqlite_shell.check(self, "\n".join(blocks))

    def test_its_reference_is_what_vec_help_says(self):
        before, after = reference.around(self.text)
        expected = f"{before}{reference.BEGIN}\n{reference.section()}{reference.END}\n{after}"
        difference = list(difflib.unified_diff(self.text.splitlines(), expected.splitlines(), lineterm="", n=0))
        self.assertEqual(difference, [], "build the target `reference` to print it anew")

    def test_every_example_prints_what_vec_help_says(self):
        for function in reference.functions():
            with self.subTest(function["signature"]):
                printed = sqlite_shell.run(f".load build/release/isovec\n{function['example']};\n")
                self.assertEqual((printed.lines, printed.errors), (function["result"].splitlines(), []))


if __name__ == "__main__":
    unittest.main()
