"""compare.py EVENTS.jsonl TRUTH.jsonl [LEAST]: are caller, whole stack and API of every process what the interpreter said?

An exec whose arguments the stream calls unreadable cannot be told from others: one is allowed, and said.
"""
import json
import re
import sys

FRAMES = 24
MARK = re.compile(r"mark-\d+-\d+-([\w.]+)")


def lines(path):
    with open(path, encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


seen, unread, end = {}, [], None
for event in lines(sys.argv[1]):
    if event["event"]["action"] == "run-end":
        end = event
    if event["event"]["action"] != "exec" or event["event"]["kind"] != "event":
        continue
    word = MARK.search(" ".join(event["process"].get("args", [])))
    if word:
        seen.setdefault(word.group(), []).append(event["invigil"].get("source"))
    elif "fault" in event["invigil"]["exec"].get("flags", []):
        unread.append(event)
truth = {}
for row in lines(sys.argv[2]):
    word = MARK.search(row["words"])
    # An exec after a fork does not change who made the process; a spawn by subprocess is the truer one.
    if word and row["stack"] and not (row["event"] == "os.exec" and word.group() in truth):
        truth[word.group()] = row


def text(name):
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def frame(f):
    return (f["file"], f.get("line"), f["function"])


wrong, callers, apis, untold = [], set(), set(), []
for word, row in truth.items():
    stack = [(text(f[0]), f[1], f[2]) for f in row["stack"][:FRAMES]]
    # The audit event of Popen is raised a few lines before the fork.
    inner = 1 if row["event"] == "subprocess.Popen" else 0
    script = next((i for i, f in enumerate(row["stack"]) if not f[3]), None)
    sources = seen.get(word)
    if not sources:
        (wrong if len(untold) >= min(1, len(unread)) else untold).append((word, "no exec event"))
        continue
    for source in sources:
        if not source:
            wrong.append((word, "no source"))
            continue
        got = [frame(f) for f in source["stack"]]
        if script is not None:
            callers.add(stack[script])
            if (source["file"], source.get("line"), source["function"]) != stack[script]:
                wrong.append((word, "caller", source["file"], source.get("line"), source["function"], stack[script]))
            if not source["exact"]:
                wrong.append((word, "not exact"))
        if got[inner:] != stack[inner:]:
            wrong.append((word, "stack", [p for p in zip(got, stack) if p[0] != p[1]][:3], len(got), len(stack)))
        if source.get("api") != MARK.search(word).group(1):
            wrong.append((word, "api", source.get("api")))
        apis.add(source.get("api"))
for row in wrong[:12]:
    print("wrong:", *row)
for row in untold:
    print("untold:", *row)
if wrong or untold:
    print("arguments unread:", [json.dumps(event) for event in unread[:3]])
    print("the end:", json.dumps(end))
print("%d processes, %d call sites, %d wrong; %s" % (len(truth), len(callers), len(wrong), " ".join(sorted(map(str, apis)))))
sys.exit(1 if wrong or len(truth) < int(sys.argv[3] if len(sys.argv) > 3 else 300) else 0)
