"""level1.py [--update] SERIES < what inside.sh printed: each hook fired, by the way that hooks.tsv names; findings as findings.tsv has.

A kernel that hooks.tsv does not know yet is compared with the newest one that it knows. --update writes what is there
now into hooks.tsv; findings.tsv is written by this machine's own kernel (SERIES host) alone.
"""
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
from verified import column, order, table_read  # noqa: E402

HOOKS = os.path.join(HERE, "hooks.tsv")
FINDINGS = os.path.join(HERE, "findings.tsv")
ID = "0123456789abcdef" * 4


def get(event, path):
    for key in path.split("."):
        event = event.get(key) if isinstance(event, dict) else None
    return event


def seen(action, **want):
    """Events of that action whose fields (a_b for a.b) are so."""
    return [e for e in events if get(e, "event.action") == action and
            all(get(e, path.replace("__", ".")) == value for path, value in want.items())]


ASK = ["./vm-engine", "ask"]
FILES = ["sh", "/tmp/files.sh"]
# What only this hook can have told.
FIRED = {
    "CI jobs": lambda: seen("run-start", invigil__run__ci="github_actions") and seen("exec", process__args=["/bin/busybox", "echo", "of-the-job"])
        and seen("exec", process__args=["/bin/busybox", "echo", "of-the-next"]),
    "exec": lambda: seen("exec", process__args=ASK),
    "fork": lambda: len(seen("exit", process__args=FILES)) > 1,
    "exit": lambda: any(e["process"]["exit_code"] == 7 for e in seen("exit", process__args=FILES)),
    "engine connect": lambda: seen("docker-socket-connect", process__args=ASK),
    "engine bytes": lambda: seen("container-create", process__args=ASK, event__outcome="success"),
    "files opened for writing": lambda: seen("log-open"),
    "file changes": lambda: seen("chmod") and seen("log-remove") and seen("log-rename"),
    "looks into processes": lambda: [e for e in seen("memory-read") if get(e, "invigil.memory.mechanism") != "procfs"],
    "bytes written": lambda: seen("secret-logged"),
    "container processes": lambda: seen("exec", container__id=ID, process__args=["echo", "in-the-container"]),
    "environment reads": lambda: seen("env-read", invigil__env__name="VM_SMOKE_READ", invigil__env__mechanism="getenv"),
    "attacks": lambda: seen("monitor-attacked"),
    "failed execs": lambda: [e for e in seen("exec", event__outcome="failure", error__code="ENOENT") if "gate" not in (get(e, "error.message") or "")],
    "exec gate": lambda: seen("run-start", invigil__run__exec_gate="exec"),
    "source lines": None,  # by lines.sh, which brings a Python
}
# Findings that one hook alone can tell: they are not expected where it has no way.
TOLD_BY = {
    "file changes": re.compile(r"R3\.9|R5\.5\t.* is (removed|loosened|renamed or replaced) "),
}
PAGES = ["./vm-engine", "pages"]
failed = 0


def say(good, what, why=""):
    global failed
    failed |= not good
    print(("ok   " if good else "FAIL ") + what + ("" if good or not why else f": {why}"))


def hooks_check(answer):
    tiers = {h["name"]: h["tier"] if h["covered"] else "-" for h in answer["hooks"]}
    kernels, rows = table_read(HOOKS)
    kernel = column(answer)
    if "--update" in sys.argv:
        if kernel not in kernels:
            kernels = sorted([*kernels, kernel], key=order)
        with open(HOOKS, "w", encoding="utf-8") as out:
            print("hook", *kernels, sep="\t", file=out)
            for name, tier in tiers.items():
                row = {**rows.get(name, {}), kernel: tier}
                print(name, *(row.get(k, "-") for k in kernels), sep="\t", file=out)
        return
    if kernel not in kernels:
        print(f"     {kernel} is compared with {kernels[-1]}, the newest of hooks.tsv")
        kernel = kernels[-1]
    for name, tier in tiers.items():
        want = rows.get(name, {}).get(kernel, "nothing")
        say(tier == want, f"{name}: {tier}", f"hooks.tsv has {want}")
        if tier != "-" and FIRED[name]:
            say(bool(FIRED[name]()), f"{name} fires")


def findings_check(host, answer):
    found = set()
    missing = [TOLD_BY[h["name"]] for h in answer["hooks"] if not h["covered"] and h["name"] in TOLD_BY]
    for event in events:
        alert = get(event, "event.kind") == "alert"
        for f in [{"rule": event["rule"]["id"], "evidence": event["invigil"]["evidence"]}] if alert else get(event, "invigil.findings") or []:
            if not f["rule"].startswith("R0."):  # of the monitor itself
                # Where no trampoline works a truncation's size is known too late.
                evidence = re.sub(r"\d+|, its size before is not known", lambda m: "#" if m[0].isdigit() else "", re.sub(r"/tmp/tmp\.\w+/root/", "/", f["evidence"]))
                found.add(f["rule"] + "\t" + evidence)
    if host and "--update" in sys.argv:
        with open(FINDINGS, "w", encoding="utf-8") as out:
            print(*sorted(found), sep="\n", file=out)
    with open(FINDINGS, encoding="utf-8") as lines:
        want = {line for line in lines.read().splitlines() if not any(told.match(line) for told in missing)}
    say(found == want, f"findings as on the host: {len(want)}",
        "".join(f"\n     missing: {f}" for f in sorted(want - found)) + "".join(f"\n     more: {f}" for f in sorted(found - want)))


def coverage_check(answer):
    """Each run says at its begin and at its end what `check` says: the way of each hook, and what is not seen so."""
    says = {h["name"]: {key: h[key] for key in ("tier", "lacks", "limit") if h.get(key) and (h["covered"] or key != "limit")}
            for h in answer["hooks"]}
    for action in ("run-start", "run-end"):
        wrong = []
        for e in seen(action):
            job = get(e, "invigil.run.kind") == "job"
            told = {row.pop("hook"): row for row in get(e, "invigil.run.coverage")}
            # Only when asked for; the daemon holds no exec; only the daemon looks for jobs.
            fine = {("failed execs", "off"), ("exec gate" if job else "CI jobs", "off")}
            wrong += [f"{name}: {told.get(name)}" for name in says
                      if told.get(name) != says[name] and (name, told.get(name, {"tier": "off"})["tier"]) not in fine]
        say(len(seen(action)) >= 6 and not wrong, f"what is not seen is said in each {action}", f"{wrong[:3]}")


def pages_check(sent, received, tier):
    """What sendfile sent and splice received is decoded, or its bytes are said to be missing. (Socket tracepoints do not see what
    splice receives, as check says.)"""
    counted = [get(e, "invigil.gap.count") for e in seen("stream-cut", process__args=PAGES)]
    calls = seen("engine-ping", process__args=PAGES)
    say(bool(calls) or int(sent) in counted, f"what sendfile sent is {'decoded' if calls else 'counted'}", f"{sent} bytes, told are {counted}")
    if tier in ("fexit", "system calls"):
        say(int(received) in counted, "what splice received is counted", f"{received} bytes, told are {counted}")


def compat_check(tier):
    """Trampolines see 32-bit system calls; tracepoints of those there are none, as check says."""
    if "SEIZE 0" in text:
        looked = [e for e in seen("memory-read") if get(e, "invigil.memory.mechanism") == "ptrace"]
        say(bool(looked) == (tier == "fexit"), f"ptrace by a 32-bit system call is {'' if tier == 'fexit' else 'not '}seen")


text = sys.stdin.read().splitlines()
events = [json.loads(line) for line in text if line.startswith("{")]
# On the host the daemon finds other jobs, too.
job = {get(e, "invigil.run.id") for word in ("of-the-job", "of-the-next") for e in seen("exec", process__args=["/bin/busybox", "echo", word])}
others = {get(e, "invigil.run.id") for e in seen("run-start") if get(e, "invigil.run.kind") == "job"} - job
events = [e for e in events if get(e, "invigil.run.id") not in others]
answers = [json.loads(line[6:]) for line in text if line.startswith("CHECK {")]
for name, status in (("ask", "0"), ("pages", "0"), ("files", "7"), ("attack", "6")):
    say(f"STATUS {name} {status}" in text, f"the status of {name} is passed on")
say(not any("cannot " in line for line in text if line.startswith("invigil:")), "nothing could not be attached, the second time neither")
say(bool(answers) and answers[0]["loads"], "all programs load and attach")
if answers:
    lacking = any(not h["covered"] or h.get("lacks") for h in answers[0]["hooks"])
    say(f"STATUS check {int(lacking)}" in text, f"the status of check says that {'something' if lacking else 'nothing'} is lacking")
    lengths = next((line.split()[1:] for line in text if line.startswith("PAGES ")), (0, 0))
    pages_check(*lengths, next(h["tier"] for h in answers[0]["hooks"] if h["name"] == "engine bytes"))
    compat_check(next(h["tier"] for h in answers[0]["hooks"] if h["name"] == "looks into processes"))
    hooks_check(answers[0])
    coverage_check(answers[0])
    findings_check(sys.argv[-1] == "host", answers[0])
sys.exit(failed)
