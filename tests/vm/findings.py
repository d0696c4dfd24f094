"""findings.py STREAM FOLDER: each finding once, "finding RULE EVIDENCE", in one order: without numbers, ids and the names of temporary folders."""
import json
import re
import sys
import tempfile

found = set()
with open(sys.argv[1], encoding="utf-8") as stream:
    for event in map(json.loads, stream):
        of_event = event.get("invigil", {}).get("findings", [])
        if event["event"]["kind"] == "alert":
            of_event = [{"rule": event["rule"]["id"], "evidence": event["invigil"]["evidence"]}]
        for f in of_event:
            if f["rule"].startswith("R0."):  # of the monitor itself
                continue
            evidence = f.get("evidence", "").replace(sys.argv[2], "FOLDER").replace(tempfile.gettempdir(), "TMP")
            evidence = re.sub(r"\b[0-9a-f]{12,64}\b", "ID", evidence)
            evidence = re.sub(r"ivgtest-\w{8}\b", "ivgtest-NAME", evidence)
            # Which ends the parent still holds, and whose line that is, hangs on who is faster.
            evidence = re.sub(r"^std.*(pipes? held by the parent) .*", r"\1", evidence)
            found.add(f["rule"] + " " + re.sub(r"\d+", "#", evidence))
for line in sorted(found):
    print("finding", line)
