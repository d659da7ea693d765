"""Rewrites the README's reference of functions, between its two marker lines, from vec_help: the build target
`reference`."""

import json

import sqlite_shell

README = sqlite_shell.PROJECT / "README.md"
BEGIN, END = "<!-- reference: begin -->", "<!-- reference: end -->"
QUERY = """.load build/release/isovec
SELECT json_object('signature', signature, 'chapter', chapter, 'doc', doc, 'example', example, 'result', result)
  FROM vec_help;
"""


def functions():
    printed = sqlite_shell.run(QUERY)
    if printed.errors:
        raise SystemExit("\n".join(printed.errors))
    return [json.loads(line) for line in printed.lines]


def section():
    chapters = {}
    for function in functions():
        chapters.setdefault(function["chapter"], []).append(function)
    parts = []
    for title, members in chapters.items():
        parts.append(f"### {title}\n")
        for function in members:
            prints = ", ".join(f"`{line}`" for line in function["result"].splitlines())
            parts.append(f"- **`{function['signature']}`** {function['doc']}")
            parts.append(f"  <br>`{function['example']}` prints {prints}")
        parts.append("")
    return "\n".join(parts)


def around(text):
    """What the README says before and after its reference, the marker lines left out."""
    before, rest = text.split(BEGIN + "\n")
    return before, rest.split(END + "\n")[1]


if __name__ == "__main__":
    before, after = around(README.read_text(encoding="utf-8"))
    README.write_text(f"{before}{BEGIN}\n{section()}{END}\n{after}", encoding="utf-8")
