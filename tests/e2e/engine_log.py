"""engine_log.py LOG START END EVENTS.jsonl... [--least N]: is the stream what dockerd's debug log has between these bytes?

Requests as multisets of method, path and decoded query; JSON bodies field by field where the log has them (up to
4 KiB). Several streams are one session of several runs. Prints recall and precision.
"""
import argparse
import collections
import json
import re
import urllib.parse

HIDDEN = "*****"  # what the engine writes for a password
MASK = "\ufffd"   # what the stream has for a secret


def key(method, path, query):
    pairs = urllib.parse.parse_qsl(query or "", keep_blank_values=True)
    return method, path, tuple(sorted(pairs))


def of_log(name, start, end):
    calls = []
    with open(name, "rb") as log:
        log.seek(start)
        text = log.read(end - start).decode(errors="surrogateescape")
    for kind, quoted in re.findall(r'msg="(Calling|form data:) (.*)"$', text, re.M):
        value = json.loads('"' + re.sub(r"\\x([0-9a-f]{2})", r"\\u00\1", quoted) + '"')
        if kind == "Calling":
            method, uri = value.split(" ", 1)
            path, _, query = uri.partition("?")
            calls.append([key(method, urllib.parse.unquote(path), query), None])
        elif calls:
            calls[-1][1] = json.loads(value)
    return calls


def of_streams(names):
    calls = []
    for name in names:
        with open(name, encoding="utf-8") as stream:
            for line in stream:
                e = json.loads(line)
                if e["event"].get("category") != ["api"] or e["event"]["kind"] == "alert":
                    continue
                docker = e["invigil"]["docker"]
                body = docker.get("config")
                calls.append([key(e["http"]["request"]["method"], e["url"]["path"], e["url"].get("query")),
                              json.loads(body) if body and not docker.get("config_cut") else None])
    return calls


def leaves(value, path=""):
    if isinstance(value, dict):
        for k in value:
            yield from leaves(value[k], path + "/" + k)
    elif isinstance(value, list):
        for i, one in enumerate(value):
            yield from leaves(one, "%s/%d" % (path, i))
    else:
        yield path, value


def same_body(logged, seen):
    if seen is None:
        return False
    one, other = dict(leaves(logged)), dict(leaves(seen))
    return one.keys() == other.keys() and all(
        one[k] == other[k] or HIDDEN == one[k] or "<redacted:" in str(other[k]) for k in one)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("log")
    p.add_argument("start", type=int)
    p.add_argument("end", type=int)
    p.add_argument("streams", nargs="+")
    p.add_argument("--least", type=int, default=1)
    p.add_argument("--least-bodies", type=int, default=0)
    p.add_argument("--parallel", action="store_true", help="the log's lines of several calls are mixed")
    a = p.parse_args()
    truth, seen = of_log(a.log, a.start, a.end), of_streams(a.streams)
    want, got = (collections.Counter(k for k, _ in calls) for calls in (truth, seen))
    common = sum((want & got).values())
    recall, precision = common / max(1, sum(want.values())), common / max(1, sum(got.values()))
    for k, n in (want - got).items():
        print("missed", n, k)
    for k, n in (got - want).items():
        print("invented", n, k)
    bodies = collections.defaultdict(list)
    for k, body in seen:
        bodies[None if a.parallel else k].append(body)
    equal = logged = fields = 0
    for k, body in truth:
        if body is None or body == {} or k[1].endswith("/auth"):
            continue
        logged += 1
        fields += len(list(leaves(body)))
        pool = bodies[None if a.parallel else k]
        match = next((b for b in pool if same_body(body, b)), None)
        if match is None:
            print("body differs", k, body, "" if a.parallel else pool)
        else:
            pool.remove(match)
            equal += 1
    print("%d requests, recall %.4f precision %.4f; %d of %d bodies equal, %d fields" %
          (sum(want.values()), recall, precision, equal, logged, fields))
    if want != got or equal != logged or len(truth) < a.least or logged < a.least_bodies:
        raise SystemExit(1)


main()
