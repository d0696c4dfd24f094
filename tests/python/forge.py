"""forge.py PYTHON COPY VERSION: a copy of a CPython that claims, where we look, to be of another version (0x030d)."""
import re
import subprocess
import sys

source, copy, version = sys.argv[1], sys.argv[2], int(sys.argv[3], 16)


def readelf(what):
    return subprocess.check_output(["readelf", "-W", what, source], text=True)


address = next(int(line.split()[1], 16) for line in readelf("--dyn-syms").splitlines() if line.endswith(" Py_Version"))
image = bytearray(open(source, "rb").read())
for line in readelf("-l").splitlines():
    words = line.split()
    if words[:1] == ["LOAD"]:
        offset, start, _, size = (int(word, 16) for word in words[1:5])
        if start <= address < start + size:
            at = address - start + offset
image[at:at + 4] = (version << 16 | 0xf0).to_bytes(4, "little")
build = bytes.fromhex(re.search(r"Build ID: (\w+)", readelf("-n")).group(1))
at = image.index(build)  # what is known of a file is known of its build
image[at:at + 2] = version.to_bytes(2, "little")
with open(copy, "wb") as out:
    out.write(image)
