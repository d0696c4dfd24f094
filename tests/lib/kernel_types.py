"""kernel_types.py [BTF [x86|arm64]]: every field that vmlinux/*.h declares is in the kernel with the same size and sign.

BPF_CORE_READ relocates where a field is, but reads as many bytes as we declare: a wrong size reads the neighbour.
A struct with a flavour (___other) describes another kernel, and a field whose line says "may be missing" need not be
there; what is there must agree all the same.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

ANONYMOUS = "(anon)"


class Types:
    def __init__(self, path):
        dump = subprocess.run([os.environ.get("BPFTOOL", "/usr/sbin/bpftool"), "-j", "btf", "dump", "file", path],
                              check=True, stdout=subprocess.PIPE).stdout
        self.by_id = {t["id"]: t for t in json.loads(dump)["types"]}
        self.records = {}
        for t in self.by_id.values():
            if t["kind"] in ("STRUCT", "UNION") and t["name"] != ANONYMOUS:
                self.records.setdefault(t["name"], []).append(t)

    def real(self, type_id):
        """Without typedefs and qualifiers."""
        t = self.by_id.get(type_id, {"kind": "VOID"})
        while t["kind"] in ("TYPEDEF", "CONST", "VOLATILE", "RESTRICT", "TYPE_TAG"):
            t = self.by_id.get(t["type_id"], {"kind": "VOID"})
        return t

    def fields(self, record):
        """Name to member, through unnamed structs and unions."""
        found = {}
        for m in record["members"]:
            if m["name"] == ANONYMOUS:
                found.update(self.fields(self.real(m["type_id"])))
            else:
                found[m["name"]] = m
        return found


def scalar(types, t, member):
    """What a read of it depends on."""
    if t["kind"] == "PTR":
        return "pointer"
    if t["kind"] in ("INT", "ENUM", "ENUM64"):
        bits = member.get("bitfield_size") or t.get("nr_bits") or t["size"] * 8
        # An enum's sign is the compiler's choice, plain char's that of the kernel's build.
        signed = t.get("encoding") == "SIGNED" if t["kind"] == "INT" and t["name"] != "char" else None
        return bits, signed
    return t["kind"]


def differs(mine, kernel, my_member, kernel_member):
    """Why a read of the one as the other is wrong, or None."""
    a, b = mine.real(my_member["type_id"]), kernel.real(kernel_member["type_id"])
    if a["kind"] == "ARRAY" and b["kind"] == "ARRAY":
        if a["nr_elems"] > b["nr_elems"] > 1:
            return f"{a['nr_elems']} elements, the kernel has {b['nr_elems']}"
        return differs(mine, kernel, {"type_id": a["type_id"]}, {"type_id": b["type_id"]})
    if a["kind"] in ("STRUCT", "UNION") and b["kind"] in ("STRUCT", "UNION"):
        # A named one is compared by its own name.
        return None if a["name"] != ANONYMOUS else next(compare(mine, kernel, a, b, set()), None)
    a, b = scalar(mine, a, my_member), scalar(kernel, b, kernel_member)
    if isinstance(a, tuple) and isinstance(b, tuple) and None in (a[1], b[1]):
        a, b = a[0], b[0]
    return None if a == b else f"declared {a}, the kernel has {b}"


def compare(mine, kernel, record, other, optional):
    there = kernel.fields(other)
    for name, member in mine.fields(record).items():
        if name in there:
            kinds = mine.real(member["type_id"])["kind"], kernel.real(there[name]["type_id"])["kind"]
            # Of another kernel: libbpf itself takes no field of another kind.
            if name in optional and kinds[0] != kinds[1]:
                continue
            why = differs(mine, kernel, member, there[name])
            if why:
                yield f"{name}: {why}"
        elif name not in optional:
            yield f"{name}: the kernel has no such field"


def declared(path):
    """Names of the structs that are relocated, and of their fields that may be missing."""
    structs, optional, name, relocated = [], {}, None, False
    with open(path, encoding="utf-8") as source:
        for line in source:
            if line.startswith("#pragma clang attribute"):
                relocated = " push(" in line
            begin = relocated and re.match(r"struct (\w+) \{", line)
            if begin:
                name = begin.group(1)
                structs.append(name)
            elif line.startswith("}"):
                name = None
            elif name and "may be missing" in line:
                fields = re.sub(r"/\*.*", "", line)
                optional.setdefault(name, set()).update(re.findall(r"(\w+)(?:\[\d*\])?\s*[,;]", fields))
    return structs, optional


def main():
    btf = sys.argv[1] if len(sys.argv) > 1 else "/sys/kernel/btf/vmlinux"
    machine = sys.argv[2] if len(sys.argv) > 2 else {"x86_64": "x86", "aarch64": "arm64"}[os.uname().machine]
    structs, optional = [], {}
    for header in ("vmlinux/vmlinux.h", f"vmlinux/{machine}.h"):
        names, missing = declared(header)
        structs += names
        optional.update(missing)
    with tempfile.TemporaryDirectory() as work:
        source = "".join(f"struct {name} declared_{name};\n" for name in structs)
        subprocess.run([os.environ.get("CLANG", "clang"), "-g", "-O2", "-target", "bpf", f"-D__TARGET_ARCH_{machine}",
                        "-Ivmlinux", f"-I/usr/include/{os.uname().machine}-linux-gnu", "-include", "vmlinux.h",
                        "-x", "c", "-c", "-o", f"{work}/o", "-"], input=source.encode(), check=True)
        mine = Types(f"{work}/o")
    kernel = Types(btf)
    bad = fields = 0
    for name in structs:
        flavour = "___" in name
        others = kernel.records.get(name.split("___")[0], [])
        record = mine.records[name][0]
        # Several kernel types can carry one name: libbpf takes the one that fits.
        tries = [list(compare(mine, kernel, record, other, mine.fields(record) if flavour else optional.get(name, ())))
                 for other in others]
        why = min(tries, key=len) if tries else [] if flavour else ["the kernel has no such struct"]
        for line in why:
            print(f"vmlinux: struct {name}: {line}")
        bad += len(why)
        fields += len(mine.fields(record))
    print(f"{len(structs)} structs with {fields} fields, {bad} differ")
    return 1 if bad or not fields else 0


if __name__ == "__main__":
    sys.exit(main())
