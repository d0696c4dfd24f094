"""bodies.py INVIGIL SOCKET IMAGE WORK: one table of bodies; what the Engine makes of each is what invigil must report.

A row is sent once, by one run. `exact`: the rules that fire are those of the container that came of it. `more`: what
an earlier duplicate asked for may be told, too. `said`: where it cannot be read whole, R6.13 must say so.
"""
import json
import subprocess
import sys

import raw_client

invigil, sock, image, work = sys.argv[1:]
IMAGE = '"Image":"%s","Cmd":["true"],' % image
PRIVILEGED = '"HostConfig":{"Privileged":true}'

ROWS = [
    ("plain", "exact", '"HostConfig":{"Memory":9000000}'),
    ("privileged", "exact", PRIVILEGED),
    ("case is folded", "exact", '"hostCONFIG":{"pRIVILEGED":true}'),
    ("false", "exact", '"HostConfig":{"Privileged":false}'),
    ("the last of two wins: true", "exact", '"HostConfig":{"Privileged":false,"Privileged":true}'),
    ("the last of two wins: false", "more", '"HostConfig":{"Privileged":true,"Privileged":false}'),
    ("two ways to write one key", "more", '"HostConfig":{"privileged":true,"Privileged":false}'),
    ("objects merge", "exact", PRIVILEGED + ',"HostConfig":{"CapAdd":["SYS_ADMIN"]}'),
    ("null leaves a scalar", "exact", '"HostConfig":{"Privileged":true,"Privileged":null}'),
    ("null resets an object", "more", PRIVILEGED + ',"HostConfig":null'),
    ("a list replaces a list", "more", '"HostConfig":{"CapAdd":["SYS_ADMIN"],"CapAdd":["CHOWN"]}'),
    ("a list replaces a harmless one", "exact", '"HostConfig":{"CapAdd":["CHOWN"],"CapAdd":["SYS_ADMIN"]}'),
    ("U+017F is s", "exact", '"HostConfig":{"Bind\u017f":["/etc:/e"]}'),
    ("U+212A is k", "exact", '"HostConfig":{"Networ\u212aMode":"host"}'),
    ("U+0130 is no i", "exact", '"HostConfig":{"Pr\u0130vileged":true}'),
    ("escapes in a key", "exact", r'"\u0048ostConfig":{"\u0050rivile\u0067ed":true}'),
    ("escapes in a value", "exact", r'"HostConfig":{"PidMode":"\u0068\u006fst"}'),
    ("an escaped U+017F", "exact", r'"HostConfig":{"Bind\u017f":["\u002fetc:/e"]}'),
    ("a NUL in a key", "exact", r'"HostConfig":{"Privileged\u0000":true}'),
    ("a slash in a key", "exact", '"HostConfig/Privileged":true'),
    ("the key in another object", "exact", '"Other":{"HostConfig":{"Privileged":true}}'),
    ("a key that no Engine knows", "exact", '"HostConfig":{"Privileged ":true}'),
    ("an unknown key before it", "exact", '"Unknown":{"a":[1,{"b":null}]},' + PRIVILEGED),
    ("60 levels before it", "exact", '"Unknown":' + "[" * 60 + "]" * 60 + "," + PRIVILEGED),
    ("5000 levels before it", "said", '"Unknown":' + "[" * 5000 + "]" * 5000 + "," + PRIVILEGED),
    ("a list of 20000 before it", "exact", '"Unknown":[' + "1," * 20000 + "1]," + PRIVILEGED),
    ("50 KiB of blanks before it", "exact", " " * 50000 + PRIVILEGED),
    ("300 KiB of blanks before it", "said", " " * 300000 + PRIVILEGED),
    ("600 variables", "exact", '"Env":[' + ",".join('"V%d=%s"' % (i, "x" * 40) for i in range(600)) + ',"DB_PASSWORD=geheim-geheim"]'),
    ("an empty password", "exact", '"Env":["DB_PASSWORD="]'),
    ("null lists", "exact", '"Env":null,"HostConfig":{"Binds":null,"CapAdd":null}'),
    ("a lone surrogate", "exact", r'"Labels":{"a":"\ud800"},' + PRIVILEGED),
    ("bytes that are no UTF-8", "exact", b'"Labels":{"\xff":"\xfe"},' + PRIVILEGED.encode()),
    ("all settings", "exact", '"Env":["API_TOKEN=geheim-geheim-77"],"HostConfig":{"Privileged":true,"PidMode":"host",'
     '"CapAdd":["ALL"],"Binds":["/etc:/e"]}'),
]
# What stands behind the one value that the Engine decodes.
BEHIND = [("a second value behind the first", "exact", " {%s}" % PRIVILEGED)]
CAPS = {"ALL", "SYS_ADMIN", "CAP_SYS_ADMIN"}


def made(e, name):
    """The rules that the container which came of it deserves."""
    e.send(raw_client.request("GET", "/containers/%s/json" % name))
    status, body = e.answer()
    assert status == 200, (status, body)
    c = json.loads(body)
    host, rules = c["HostConfig"], set()
    if host["Privileged"]:
        rules.add("R6.1")
    if any((b or "").startswith("/etc:") for b in host["Binds"] or []):
        rules.add("R6.3")
    if "host" in (host["NetworkMode"], host["PidMode"], host["IpcMode"], host["UTSMode"]):
        rules.add("R6.4")
    if CAPS & set(host["CapAdd"] or []):
        rules.add("R6.5")
    if any(v.split("=", 1)[0] in ("DB_PASSWORD", "API_TOKEN") and v.split("=", 1)[1] for v in c["Config"]["Env"] or []):
        rules.add("R6.9")
    return rules


def send(index):
    """One row, by the run."""
    name, _, text = (ROWS + BEHIND)[index]
    text = text if isinstance(text, bytes) else text.encode()
    body = b"{" + IMAGE.encode() + text + b"}" if index < len(ROWS) else b"{" + IMAGE.encode() + b'"Labels":{}}' + text
    e = raw_client.Engine(sock)
    e.send(raw_client.request("POST", "/containers/create?name=body%d" % index, body))
    status, answer = e.answer()
    if status != 201:
        print(name, status, answer, file=sys.stderr)
        sys.exit(1)


def main():
    passed = failed = 0
    engine = raw_client.Engine(sock)
    watched = {"R6.1", "R6.3", "R6.4", "R6.5", "R6.9"}
    for index, (name, how, _) in enumerate(ROWS + BEHIND):
        stream = "%s/body" % work
        run = subprocess.run([invigil, "run", "-q", "--env-reads", "off", "--gate", "off", "-o", stream, "--", sys.executable, "-B",
                              __file__, "send", sock, image, str(index)], capture_output=True, text=True, check=False)
        with open(stream, encoding="utf-8") as lines:
            alerts = {e["rule"]["id"] for e in map(json.loads, lines) if e["event"]["kind"] == "alert"}
        want = made(engine, "body%d" % index) if run.returncode == 0 else None
        told = alerts & watched
        good = want is not None and (
            told == want and "R6.13" not in alerts if how == "exact" else
            want <= told if how == "more" else
            want <= told or "R6.13" in alerts)
        passed, failed = passed + good, failed + (not good)
        print("%s %s: %s%s" % ("ok  " if good else "FAIL", name, ", ".join(sorted(want or {"nothing"})),
                               "" if good else "; told %s; %s" % (sorted(alerts), run.stderr[-300:])))
        engine.send(raw_client.request("DELETE", "/containers/body%d?force=1" % index))
        engine.answer()
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(failed != 0)


if invigil == "send":
    send(int(work))
else:
    main()
