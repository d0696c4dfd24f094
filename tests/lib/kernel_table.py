"""kernel_table.py [--check]: the table of kernels in README.md, from tests/vm/hooks.tsv, as level 1 has found each hook to fire.

It stands between two marks, with what level 2 has found (tests/vm/level2.tsv) below. --check only says whether it is
current. Kernels that are covered alike share a column.
"""
import os
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
README = os.path.join(TOP, "README.md")
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from verified import table_read  # noqa: E402

BEGIN = "<!-- tests/lib/kernel_table.py writes this from tests/vm/hooks.tsv -->\n"
END = "<!-- so far -->\n"


def spoken(kernel):
    series, *more = kernel.split("-")
    words = {"no": "without", "fexit": "trampolines"}
    return " ".join([series, *(words.get(word, word) for word in more)])


def table():
    kernels, rows = table_read(os.path.join(TOP, "tests", "vm", "hooks.tsv"))
    columns = {}
    for kernel in kernels:
        columns.setdefault(tuple(row.get(kernel, "-") for row in rows.values()), []).append(spoken(kernel))
    lines = [["", *(", ".join(names) for names in columns.values())], ["---"] * (len(columns) + 1)]
    for i, hook in enumerate(rows):
        lines.append([hook, *("not covered" if tiers[i] == "-" else tiers[i] for tiers in columns)])
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def workload():
    with open(os.path.join(TOP, "tests", "vm", "level2.tsv"), encoding="utf-8") as rows:
        held = [row.split("\t") for row in rows.read().splitlines()[1:]]
    kernels = ", ".join(f"{series} ({findings} findings)" for series, _, findings in held)
    return f"\nThe Docker workload with a real dockerd, as on the host, nine categories: {kernels}.\n"


def main():
    with open(README, encoding="utf-8") as readme:
        text = readme.read()
    before, rest = text.split(BEGIN)
    fresh = before + BEGIN + table() + workload() + END + rest.split(END, 1)[1]
    if "--check" in sys.argv:
        if fresh != text:
            print("README.md: its table of kernels is not what tests/vm/hooks.tsv says: python3 tests/lib/kernel_table.py")
        return fresh != text
    with open(README, "w", encoding="utf-8") as readme:
        readme.write(fresh)
    return 0


if __name__ == "__main__":
    sys.exit(main())
