"""event_fields.py [EVENTS.jsonl...]: is every field and action of the sources, or of these streams, in invigil-events(7)?"""
import fnmatch
import glob
import json
import re
import sys

page = open("docs/invigil-events.7", encoding="utf-8").read()
fields = [f for line in re.findall(r"^\.It Va (.*)$", page.partition(".Sh ACTIONS")[0], re.M) for f in line.split(" , ")]
actions = set(re.findall(r"[a-z]+(?:-[a-z]+)*", page.partition(".Sh ACTIONS")[2]))
words = set(re.findall(r"[@a-z_0-9]+", page))
bad = 0


def wrong(text):
    global bad
    bad += 1
    print(text)


def paths(node, path=""):
    if isinstance(node, list):
        for one in node:
            yield from paths(one, path)
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from paths(value, f"{path}.{key}" if path else key)
    else:
        yield path


def known(path):
    return any(fnmatch.fnmatchcase(path, f) or path.startswith(f + ".") for f in fields)


if not sys.argv[1:]:
    for name in glob.glob("user/ecs*.c") + glob.glob("user/stream*.c"):
        text = open(name, encoding="utf-8").read()
        for key in re.findall(r'\b(?:jsonw_\w+|\w+_write)\((?:&s->json|j), "([^"]+)"', text):
            if not set(key.split(".")) <= words:
                wrong(f"{name}: the field {key} is not in invigil-events(7)")
        health = text.partition("health_action(")[2].partition("\n}")[0]
        for action in re.findall(r'"([a-z-]+)",\s+"invigil\.', text) + re.findall(r'return "([a-z-]+)"', health):
            if action not in actions:
                wrong(f"{name}: the action {action} is not in invigil-events(7)")
    routes = open("user/docker.c", encoding="utf-8").read()
    for action in set(re.findall(r'ACT_\w+, "([a-z-]+)"', routes)):
        if action not in actions:
            wrong(f"user/docker.c: the action {action} is not in invigil-events(7)")
    table = open("include/event.h", encoding="utf-8").read().partition("define FILE_TABLE")[2].partition("\n\n")[0]
    for row in re.findall(r'X\(\w+, "([a-z-]+)", "([a-z-]+)"', table):
        if not set(row) <= actions:
            wrong(f"include/event.h: an action of {row} is not in invigil-events(7)")
seen = set()
for name in sys.argv[1:]:
    for line in open(name, encoding="utf-8"):
        event = json.loads(line)
        seen |= set(paths(event))
        if event["event"]["kind"] != "alert" and event["event"]["action"] not in actions:
            wrong(f"the action {event['event']['action']} is not in invigil-events(7)")
for path in sorted(seen):
    if not known(path):
        wrong(f"the field {path} is not in invigil-events(7)")
sys.exit(bool(bad))
