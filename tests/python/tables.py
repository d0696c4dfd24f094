"""tables.py OUT STEP: line tables of the code objects of every STEP-th file of the standard library, and what they mean.

A row: version, first line, length of the table, number of code units (int32 each), the table, a line for each unit
(0: none).
"""
import dis
import os
import struct
import sys
import sysconfig
import warnings

warnings.simplefilter("ignore")
version = sys.version_info[0] << 8 | sys.version_info[1]


def lines_of(code):
    units = len(code.co_code) // 2
    lines = [0] * units
    if version >= 0x30a:
        for start, end, line in code.co_lines():
            for i in range(start // 2, end // 2):
                lines[i] = line or 0
        return lines
    starts = dict(dis.findlinestarts(code))
    line = code.co_firstlineno
    for i in range(units):
        line = starts.get(2 * i, line)
        lines[i] = line
    return lines


def write(out, code):
    table = code.co_linetable if version >= 0x30a else code.co_lnotab
    lines = lines_of(code)
    out.write(struct.pack("<4i", version, code.co_firstlineno, len(table), len(lines)) + table)
    out.write(struct.pack("<%di" % len(lines), *lines))
    for const in code.co_consts:
        if hasattr(const, "co_code"):
            write(out, const)


files = []
for folder, folders, names in os.walk(sysconfig.get_paths()["stdlib"]):
    folders[:] = sorted(set(folders) - {"site-packages", "dist-packages", "lib2to3", "__pycache__"})
    files += [os.path.join(folder, name) for name in sorted(names) if name.endswith(".py")]
with open(sys.argv[1], "wb") as out:
    for path in files[::int(sys.argv[2])]:
        with open(path, "rb") as source:
            text = source.read()
        try:
            code = compile(text, path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            continue  # tests of the compiler itself
        write(out, code)
