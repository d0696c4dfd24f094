"""q.py EVENTS.jsonl EXPRESSION: exit 0 when the python expression over `ev`, the list of events, is true."""
import collections
import json
import os
import re
import sys
import urllib.parse

with open(sys.argv[1], encoding="utf-8") as stream:
    ev = [json.loads(line) for line in stream]


def get(event, path, default=None):
    """get(e, "invigil.env.name")"""
    for key in path.split("."):
        if not isinstance(event, dict) or key not in event:
            return default
        event = event[key]
    return event


def action(name):
    return [e for e in ev if get(e, "event.action") == name]


def execs(name=None):
    """Successful ones, of programs with that base name."""
    return [e for e in action("exec") if get(e, "event.outcome") != "failure" and
            (name is None or get(e, "process.name") == name)]


def args(name):
    return [get(e, "process.args", []) for e in execs(name)]


def alerts(rule=None):
    return [e for e in ev if get(e, "event.kind") == "alert" and rule in (None, get(e, "rule.id"))]


def evidence(rule):
    return [e for e in ev if any(f.get("rule") == rule for f in get(e, "invigil.findings", []))]


def said(rule):
    """As an alert or as evidence."""
    return alerts(rule) + evidence(rule)


def categories():
    ids = {get(e, "rule.id") for e in alerts()}
    ids |= {f.get("rule") for e in ev for f in get(e, "invigil.findings", [])}
    return {i.split(".")[0] for i in ids if i}


def reads(name=None):
    return [get(e, "invigil.env") for e in action("env-read") if name in (None, get(e, "invigil.env.name"))]


def gap(reason):
    """Is a gap said, for a reason with these words?"""
    return any(reason in str(get(e, "invigil.gap.reason")) for e in action("coverage-gap"))


def calls():
    """Multiset of (method, path) of the engine's API."""
    return collections.Counter((get(e, "http.request.method"), get(e, "url.path")) for e in ev
                               if get(e, "http.request.method") and get(e, "event.kind") != "alert")


def engine_log(path, start, end):
    """The same from bytes [start, end) of dockerd's debug log."""
    with open(path, "rb") as log:
        log.seek(start)
        text = log.read(end - start).decode(errors="replace")
    return collections.Counter((m, urllib.parse.unquote(uri.split("?")[0]))
                               for m, uri in re.findall(r'msg="Calling ([A-Z]+) ([^"\s]+)', text))


def same(one, other):
    if one != other:
        print("only left:", one - other, "only right:", other - one)
    return one == other


def ended():
    return bool(ev) and get(ev[-1], "event.action") == "run-end"


def gapless():
    return [get(e, "event.sequence") for e in ev] == list(range(1, len(ev) + 1))


if not eval("(%s)" % sys.argv[2]):
    print("false:", sys.argv[2])
    print("actions:", dict(collections.Counter(get(e, "event.action") for e in ev)))
    print("alerts:", dict(collections.Counter(get(e, "rule.id") for e in alerts())))
    sys.exit(1)

# For tests/run.sh: which rules a real run has fired, and which ones a true expression says did not fire.
if "RULES_SEEN" in os.environ:
    fired = {get(e, "rule.id") for e in alerts()} | {f.get("rule") for e in ev for f in get(e, "invigil.findings", [])}
    quiet = set(re.findall(r"\bR\d\.\d+\b", sys.argv[2])) - fired
    with open(os.environ["RULES_SEEN"], "a", encoding="utf-8") as seen:
        seen.writelines("fired %s\n" % rule for rule in sorted(fired - {None}))
        seen.writelines("quiet %s\n" % rule for rule in sorted(quiet))
