"""verified.py [--update] < `invigil check --format json`: what the verifier walked against tests/verified.tsv.

The table has a row a program and a column a kernel series, the newest one last, with which one that it does not know is
compared. More than 100 000 instructions, more than half above the table, or a program that it does not have is a
failure; --update (make verified) writes what is there now.
"""
import json
import os
import sys

LIMIT = 100_000
TABLE = os.path.join(os.path.dirname(__file__), "..", "verified.tsv")


def table_read(path=TABLE):
    with open(path, encoding="utf-8") as lines:
        head, *rows = [line.rstrip("\n").split("\t") for line in lines]
    return head[1:], {row[0]: dict(zip(head[1:], row[1:])) for row in rows}


def column(answer):
    """The series; where it has no trampolines other programs are loaded."""
    works = {f["name"]: f["works"] for f in answer["features"]}
    series = ".".join(answer["kernel"].split(".")[:2])
    machine = "" if answer["architecture"] == "x86_64" else "-" + answer["architecture"]
    return series + machine + ("" if works["fexit trampolines"] else "-no-fexit")


def order(kernel):
    return [int(n) for n in kernel.split("-")[0].split(".")], kernel


def table_write(kernels, rows):
    with open(TABLE, "w", encoding="utf-8") as out:
        print("program", *kernels, sep="\t", file=out)
        for name in sorted(rows):
            print(name, *(rows[name].get(kernel, "-") for kernel in kernels), sep="\t", file=out)


def main():
    answer = json.load(sys.stdin)
    kernel = column(answer)
    measured = {p["name"]: p["verified_instructions"] for p in answer["programs"]}
    kernels, rows = table_read()
    wrong = [] if measured else ["no program was loaded"]
    if measured and not any(measured.values()):
        print(f"verified: {kernel} does not say how many instructions it walked (5.16 and later do)")
        return 0
    if "--update" in sys.argv:
        if kernel not in kernels:
            kernels = sorted([*kernels, kernel], key=order)
        for row in rows.values():
            row[kernel] = "-"
        for name, count in measured.items():
            rows.setdefault(name, {})[kernel] = str(count)
        table_write(kernels, {name: row for name, row in rows.items() if set(row.values()) != {"-"}})
        return 0
    if kernel not in kernels:
        print(f"verified: {kernel} is compared with {kernels[-1]}, the newest of the table")
        kernel = kernels[-1]
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
