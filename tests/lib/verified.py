"""verified.py [--update] < `invigil check --format json`: what the verifier walked against tests/verified.tsv.

The table has a row a program and a column a kernel series. More than 100 000 instructions, more than half above the
table, or a program or kernel that it does not have is a failure; --update (make verified) writes what is there now.
"""
import json
import os
import sys

LIMIT = 100_000
TABLE = os.path.join(os.path.dirname(__file__), "..", "verified.tsv")


def table_read():
    with open(TABLE, encoding="utf-8") as lines:
        head, *rows = [line.rstrip("\n").split("\t") for line in lines]
    return head[1:], {row[0]: dict(zip(head[1:], row[1:])) for row in rows}


def table_write(kernels, rows):
    with open(TABLE, "w", encoding="utf-8") as out:
        print("program", *kernels, sep="\t", file=out)
        for name in sorted(rows):
            print(name, *(rows[name].get(kernel, "-") for kernel in kernels), sep="\t", file=out)


def main():
    answer = json.load(sys.stdin)
    kernel = ".".join(answer["kernel"].split(".")[:2])
    measured = {p["name"]: p["verified_instructions"] for p in answer["programs"]}
    kernels, rows = table_read()
    if "--update" in sys.argv:
        if kernel not in kernels:
            kernels.append(kernel)
        for row in rows.values():
            row[kernel] = "-"
        for name, count in measured.items():
            rows.setdefault(name, {})[kernel] = str(count)
        table_write(kernels, {name: row for name, row in rows.items() if set(row.values()) != {"-"}})
        return 0
    wrong = [] if measured else ["no program was loaded"]
    for name, count in measured.items():
        known = rows.get(name, {}).get(kernel, "-")
        if not count:
            wrong.append(f"{name}: the kernel does not say how many instructions it verified")
        if count > LIMIT:
            wrong.append(f"{name}: {count} instructions, more than {LIMIT}")
        if known == "-":
            wrong.append(f"{name}: {count} instructions on {kernel}, not in the table: make verified")
        elif count > int(known) * 1.5:
            wrong.append(f"{name}: {count} instructions on {kernel}, half more than the {known} of the table: "
                         "make it cheaper, or make verified")
    for line in wrong:
        print("verified:", line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
