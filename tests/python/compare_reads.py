"""compare_reads.py EVENTS.jsonl EXPECTED.json: is the line of every read what the script expects, and is nothing else read?"""
import json
import sys

with open(sys.argv[1], encoding="utf-8") as stream:
    events = [json.loads(line) for line in stream]
with open(sys.argv[2], encoding="utf-8") as stream:
    expected = {name: (line, function) for name, line, function in json.load(stream)}
wrong = []
seen = {}
for event in events:
    if event["event"]["action"] != "env-read" or event["event"]["kind"] != "event":
        continue
    name, source = event["invigil"]["env"]["name"], event["invigil"].get("source", {})
    if not name.startswith("IVG_L_"):
        continue
    seen[name] = (source.get("line"), source.get("function"))
    if not source.get("exact") or not source["file"].endswith("reads.py") or source.get("api"):
        wrong.append((name, source))
for name in set(seen) | set(expected):
    got, want = seen.get(name), expected.get(name)
    # Until 3.10 code objects know only the last part; comprehensions have a frame until 3.11.
    same = got and want and got[0] == want[0] and (got[1].startswith(want[1]) or got[1] == want[1].split(".")[-1] or
                                                   got[1] == "<listcomp>")
    if not same:
        wrong.append((name, got, want))
for row in wrong:
    print("wrong:", *row)
print("%d reads, %d wrong" % (len(seen), len(wrong)))
sys.exit(1 if wrong else 0)
