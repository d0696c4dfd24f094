"""mutate.py FLAGS SOURCES LIBS: breaks one line of a detector at a time and expects its unit tests to notice.

FLAGS, SOURCES (all pure ones) and LIBS come from the Makefile (`make mutants`). MUTATE limits it to files whose name
holds one of its words. A mutant that survives is printed; those in tests/lib/mutants.tsv are known, with the reason why.
"""
import concurrent.futures
import glob
import os
import re
import shlex
import subprocess
import sys

CC = os.environ.get("CC", "gcc")
OUT = "build/mutants"
# Sources and the unit tests that must notice.
TESTS = {
    "detect/command_execution": "command_execution",
    "detect/encoded_payload": "encoded_payload flow",
    "detect/environment_read": "environment_read",
    "detect/foreign_read": "foreign_read",
    "detect/log_exposure": "log_exposure",
    "detect/piped_shell": "piped_shell",
    "detect/privilege_bits": "files",
    "detect/container_config": "container_config",
    "detect/config_build": "container_config",
    "detect/config_secret": "container_config",
    "detect/mounts": "container_config",
    "detect/docker_control": "docker_control",
    "detect/docker_removal": "docker_removal",
    "detect/name_disclosure": "name_disclosure",
    "detect/credential_store": "files",
    "leak": "leak",
    "take_leak": "leak",
    "decoder": "flow encoded_payload",
    "inline_code": "flow encoded_payload piped_shell",
    "plumbing": "flow",
    "provenance": "flow",
    "shell_flow": "flow encoded_payload piped_shell",
    "shell_origin": "flow encoded_payload piped_shell",
    "shell_program": "flow encoded_payload piped_shell",
    "startup": "flow",
    "taint": "flow",
}
# One line each: a condition turned around, and for or, a comparison turned around, a verdict turned around.
RULES = [
    (re.compile(r"^(\s*(?:\} else )?if \()(?!!\()(.*)(\)(?: \{)?)$"), r"\1!(\2)\3"),
    (re.compile(r"^(.*?) && (.*)$"), r"\1 || \2"),
    (re.compile(r"^(.*?) \|\| (.*)$"), r"\1 && \2"),
    (re.compile(r"^(\s*return .*?) == (.*)$"), r"\1 != \2"),
    (re.compile(r"^(\s*return .*?) != (.*)$"), r"\1 == \2"),
    (re.compile(r"^(\s*return )true;$"), r"\1false;"),
    (re.compile(r"^(\s*return )false;$"), r"\1true;"),
]


def run(words, **more):
    return subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, **more).returncode


def object_of(source):
    return f"{OUT}/{source.replace('/', '_')}.o"


def compile_one(flags, source, out, *more):
    return run([CC, *flags, "-O0", "-w", *more, "-c", "-o", out, source])


def mutants(source):
    lines = open(source, encoding="utf-8").read().split("\n")
    for number, line in enumerate(lines):
        if line.lstrip().startswith(("/*", "*", "//", "#")) or "\\" == line[-1:]:
            continue
        # A loop's bound: what it breaks is the sanitizers' to notice, and there are none here.
        if line.lstrip().startswith(("for (", "while (")):
            continue
        for pattern, to in RULES:
            changed = pattern.sub(to, line)
            # A condition on several lines cannot be turned around here.
            if changed != line and changed.count("(") == changed.count(")"):
                yield number + 1, line.strip(), changed.strip(), lines[:number] + [changed] + lines[number + 1:]


def notices(flags, libs, objects, name, source, text, serial):
    """Which of: 'no' (it survives), 'yes', 'none' (it does not compile)."""
    base = f"{OUT}/{name.replace('/', '_')}.{serial}"
    with open(base + ".c", "w", encoding="utf-8") as f:
        f.write("\n".join(text))
    if compile_one(flags, base + ".c", base + ".o", "-Iuser/detect", "-Iuser"):
        return "none"
    others = [o for o in objects if o != object_of(source)]
    verdict = "no"
    for test in TESTS[name].split():
        exe = f"{base}.{test}"
        if run([CC, "-o", exe, f"{OUT}/test_{test}.o", base + ".o", *others, "-lcmocka", *libs]):
            verdict = "none"
            break
        try:
            failed = run(["./" + exe], timeout=60)
        except subprocess.TimeoutExpired:
            failed = 1
        os.unlink(exe)
        if failed:
            verdict = "yes"
            break
    for ending in (".c", ".o"):
        os.unlink(base + ending)
    return verdict


def main():
    flags, sources, libs = (shlex.split(a) for a in sys.argv[1:4])
    only = os.environ.get("MUTATE", "").split() or [""]
    flags = [f for f in flags if f != "-Werror"] + ["-Itests/unit"]
    os.makedirs(OUT, exist_ok=True)
    known = set()
    for line in open("tests/lib/mutants.tsv", encoding="utf-8"):
        if not line.startswith("#"):
            known.add(tuple(line.rstrip("\n").split("\t")[:3]))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = [(s, object_of(s)) for s in sources]
        jobs += [(t, f"{OUT}/{os.path.basename(t)[:-2]}.o") for t in glob.glob("tests/unit/test_*.c")]
        for (source, _), bad in zip(jobs, pool.map(lambda j: compile_one(flags, *j), jobs)):
            if bad:
                sys.exit(f"mutate.py: {source} does not compile")
        objects = [object_of(s) for s in sources]
        work = [(name, f"user/{name}.c", m) for name in TESTS if any(o in name for o in only) for m in mutants(f"user/{name}.c")]
        verdicts = pool.map(
            lambda job: notices(flags, libs, objects, job[1][0], job[1][1], job[1][2][3], job[0]), enumerate(work))
        count = {"yes": 0, "no": 0, "none": 0, "known": 0}
        for (name, _, (number, line, changed, _)), verdict in zip(work, verdicts):
            if verdict == "no" and (name, line, changed) in known:
                verdict = "known"
            elif verdict == "no":
                print(f"{name}\t{line}\t{changed}\t:{number}", flush=True)
            count[verdict] += 1
    print(f"{count['yes']} noticed, {count['known']} known to survive, {count['no']} survive, {count['none']} do not compile")
    sys.exit(count["no"] > 0)


main()
