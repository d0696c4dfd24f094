#!/bin/bash
# runtimes.sh: each runtime's reads by name, compared with what the program says itself; copies and start-up reads.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# NAME MECHANISM PROGRAM...: reads IVG_SET and IVG_ABSENT, and nothing else of ours; prints what it got.
runtime() {
	local what=$1 mechanism=$2 names=${want:-'["IVG_ABSENT", "IVG_SET"]'}
	shift 2
	if ! command -v "$1" >/dev/null; then
		test_begin "$what"
		skip "no $1 here"
		return
	fi
	IVG_SET=value-4717 IVG_UNREAD=1 run -- "$@" >"$work/out"
	check "$what: the program read it" grep -q value-4717 "$work/out"
	see "$what: the same names, once each" 'same(sorted(r["name"] for r in reads() if r.get("name", "").startswith("IVG_")), '"$names"')'
	see "$what: by $mechanism, found or not" 'all(r["mechanism"] == "'"$mechanism"'" and r["found"] is (r["name"] == "IVG_SET") for r in reads() if r.get("name", "").startswith("IVG_"))'
	check "$what: no value in the stream" bash -c "! grep -q value-4717 '$ev'"
}
cat >"$work/c.c" <<'C'
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
	char *absent = getenv("IVG_ABSENT");

	puts(absent ? absent : getenv("IVG_SET"));
	return !getenv("IVG_SET");
}
C
cat >"$work/c.cc" <<'CC'
#include <cstdlib>
#include <iostream>
int main()
{
	const char *absent = std::getenv("IVG_ABSENT");

	std::cout << (absent ? absent : std::getenv("IVG_SET")) << std::endl;
}
CC
cat >"$work/r.rs" <<'RS'
fn main() {
    let _ = std::env::var("IVG_ABSENT");
    println!("{}", std::env::var("IVG_SET").unwrap());
}
RS
cat >"$work/g.go" <<'GO'
package main

import (
	"fmt"
	"os"
)

func main() {
	os.LookupEnv("IVG_ABSENT")
	fmt.Println(os.Getenv("IVG_SET"))
	if len(os.Args) > 1 {
		os.Environ()
	}
}
GO
built() { # OUTPUT COMMAND...: a compiler that is not here leaves no program, and its test is skipped
	command -v "$2" >/dev/null && GOCACHE=$work/go "${@:2}" >"$work/why" 2>&1
}
built c gcc -o "$work/c" "$work/c.c"
built c++ g++ -o "$work/c++" "$work/c.cc"
built static gcc -static -o "$work/static" "$work/c.c"
built musl musl-gcc -o "$work/musl" "$work/c.c"
built musl-static musl-gcc -static -o "$work/musl-static" "$work/c.c"
built rust rustc -o "$work/rust" "$work/r.rs"
built go go build -o "$work/go-plain" "$work/g.go"
built go go build -ldflags "-s -w" -buildmode pie -o "$work/go-pie" "$work/g.go"
cp "$work/go-plain" "$work/go-again" 2>/dev/null
runtime "C, glibc" getenv "$work/c"
runtime "C++" getenv "$work/c++"
runtime "C, static glibc with symbols" getenv "$work/static"
runtime "C, musl" getenv "$work/musl"
runtime "C, static musl with symbols" getenv "$work/musl-static"
runtime "Rust" getenv "$work/rust"
runtime "Go" go "$work/go-plain"
runtime "Go, stripped and position independent" go "$work/go-pie"
runtime "Go, a second file with the same content" go "$work/go-again"
# shellcheck disable=SC2016
{
	# A shell's own variables are none of the environment.
	want='["IVG_SET"]' runtime "bash" shell bash -c 'for i in 1 2; do own=$IVG_SET; done; echo "$own $IVG_SET"; export IVG_OWN=1; : $IVG_OWN ${IVG_ABSENT-}'
	# dash passes on the name with what follows it in the script.
	want='["IVG_SET"]' runtime "dash" shell dash -c 'for i in 1 2; do own=${IVG_SET:-value-of-the-script}; done; echo "$own $IVG_SET"; IVG_OWN=1; : $IVG_OWN ${IVG_ABSENT-}'
	see "dash: what the script says behind the name is not in the stream" 'not any("of-the-script" in json.dumps(get(e, "invigil.env")) for e in ev)'
	runtime "Ruby" getenv ruby -e 'ENV["IVG_ABSENT"]; puts ENV["IVG_SET"]'
	runtime "PHP" getenv php -r 'getenv("IVG_ABSENT"); echo getenv("IVG_SET");'
}
runtime "Node" getenv node -e 'process.env.IVG_ABSENT; console.log(process.env.IVG_SET)'
run -- /usr/bin/docker version >/dev/null
see "Debian's docker, a stripped Go program" '[r["found"] for r in reads("DOCKER_CONTEXT") if r["mechanism"] == "go"] == [False]'
DOCKER_CERT_PATH=/nowhere run -- /usr/sbin/dockerd --version >/dev/null
see "and dockerd" '[[r["found"] for r in reads("DOCKER_" + n) if r["mechanism"] == "go"] for n in ("CERT_PATH", "TLS_VERIFY", "CONTEXT")] == [[True], [False], []]'

if [ -x "$work/go-plain" ]; then
	IVG_SET=1 run -- "$work/go-plain" copy >/dev/null
	see "Go: os.Environ is a copy" 'len([r for r in reads() if r["mechanism"] == "copy"]) == 1 and len(evidence("R1.4")) == 1'
fi
export IVG_TEST_TOKEN=planted-Wx31-secret-value-99
for copy in 'dict(os.environ)' 'os.environ.copy()' 'list(os.environ.items())' '{**os.environ}' \
	'__import__("urllib.request").request.getproxies()'; do
	run -- /usr/bin/python3 -c "import os; $copy"
	see "$copy is one copy" 'len([r for r in reads() if r["mechanism"] == "copy"]) == 1 and not reads("IVG_TEST_TOKEN") and not alerts()'
done
run -- /usr/bin/python3 -c 'import os; dict(os.environ); os.environ["IVG_TEST_TOKEN"]'
see "a read behind a copy is told, R1.3" 'len(reads("IVG_TEST_TOKEN")) == 1 and alerts("R1.3")'
run -- /usr/bin/python3 -c 'import os; [os.environ.get(n) for n in list(os.environ)[:2]]; os.environ.get("IVG_TEST_TOKEN")'
see "near miss: a few single reads are no copy" 'not [r for r in reads() if r["mechanism"] == "copy"] and alerts("R1.3")'
run -- /usr/bin/python3 -c 'import os; os.environ.get("IVG_\u00e4")'
see "a name that is not ASCII is not told, and that a read is missing is said" 'action("events-lost") and not [r for r in reads() if r.get("name", "").startswith("IVG_")]'
run -- /usr/bin/python3 -c 'import os; os.fsencode("\u00e4"); os.environ["IVG_SET"] = "\u00e4"; os.environ.get("IVG_ABSENT")'
see "near miss: what is encoded for other reasons is no read" 'not action("events-lost") and reads("IVG_ABSENT")'
# Every CPython of this machine, most of them with a libpython of their own; in a virtual environment, too.
layout() { # PYTHON: the offsets of its own headers, where it has them, are those of our table
	local include
	include=$("$1" -c 'import sysconfig; print(sysconfig.get_paths()["include"])')
	[ -e "$include/frameobject.h" ] || return 0
	gcc -w -I"$include" -I"$include/internal" -o "$work/layout" tests/python/layout.c &&
		grep -qxF "$("$work/layout" | tr -d ' ')" <(tr -d ' ' <user/python_layout.def)
}
pythons=(/usr/bin/python3 "$work/venv/bin/python3")
/usr/bin/python3 -m venv --without-pip "$work/venv"
for v in /root/.pyenv/versions/3.*/bin/python3; do [ ! -x "$v" ] || pythons+=("$v"); done
for python in "${pythons[@]}"; do
	v=$("$python" -c 'import sys; print("%s, %d.%d" % ((sys.prefix,) + sys.version_info[:2]))')
	check "$v: its offsets are those of the table" layout "$python"
	check "$v: a script that reads its environment runs" run -- "$python" tests/python/reads.py "$work/expected"
	check "$v: each read with its line, and nothing else" python3 tests/python/compare_reads.py "$ev" "$work/expected"
	check "$v: no value in the stream" bash -c "! grep -qa planted-by '$ev'"
	# shellcheck disable=SC2016
	run -- sh -c 'for d in "dict(os.environ)" "os.environ.copy()" "list(os.environ.items())"; do "$1" -c "import os; $d"; done
		"$1" -c "import subprocess; subprocess.call([\"/bin/true\"], env={\"IVG_L_CHILD\": \"planted-for-a-child-8817\"})"' sh "$python"
	see "$v: dict, copy and items are a copy each; near miss: what a child gets is none, and no read" \
		'(lambda copies: len(copies) == len(set(copies)) == 3)([get(e, "process.pid") for e in action("env-read") if get(e, "invigil.env.mechanism") == "copy"]) and len(args("true")) == 1 and not reads("IVG_L_CHILD") and not any("planted" in json.dumps(get(e, "invigil.env")) for e in ev)'
done
if command -v java >/dev/null; then
	run -- java -version >/dev/null 2>&1
	see "near miss: a JVM alone is no alert" 'not [e for e in alerts() if get(e, "rule.id").startswith("R1")]'
fi
export SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt no_proxy=localhost
if command -v openssl >/dev/null; then
	run -- openssl s_client -connect 127.0.0.1:1 >/dev/null 2>&1
	see "near miss: what OpenSSL reads by itself is no R1.2" 'reads("SSL_CERT_FILE") and not alerts("R1.2")'
fi
if command -v curl >/dev/null; then
	run -- curl -s http://127.0.0.1:1/
	see "near miss: what libcurl reads by itself is no R1.2" 'reads("no_proxy") and not alerts("R1.2")'
fi
mkdir "$work/tests"
echo 'echo "$SSL_CERT_FILE"' >"$work/tests/t.sh"
run -- bash "$work/tests/t.sh" >/dev/null
see "R1.2: a test script that asks for it" 'len(alerts("R1.2")) == 1'
run -- /usr/bin/python3 -c 'import os; os.environ.get("SSL_CERT_FILE")'
see "R1.2: and a program that does" 'len(alerts("R1.2")) == 1'
unset SSL_CERT_FILE no_proxy
run -- ps aux >/dev/null
see "near miss: ps aux is no R1.3" 'not alerts("R1.3")'
run -- env >/dev/null
see "R1.7: env prints all" 'alerts("R1.7")'
run -- env -i /bin/true
see "R1.7, near miss: env starts a program" 'not alerts("R1.7")'
run -- printenv HOME >/dev/null
see "R1.7, near miss: printenv with a name" 'not alerts("R1.7")'
run -- bash -c 'export -p >/dev/null'
see "R1.7: export -p" 'alerts("R1.7")'
unset IVG_TEST_TOKEN
run -- /usr/bin/python3 -c 'import os; os.environ.get("AWS_SESSION_TOKEN")'
see "near miss: a token that is not set" 'not alerts("R1.3") and [r["found"] for r in reads("AWS_SESSION_TOKEN")] == [False]'

see "start-up reads are counted, not listed" 'not [r for r in reads() if r.get("name", "").startswith(("PYTHONH", "LC_", "LOCPATH"))] and all(get(e, "invigil.env.startup_names") > 20 for e in action("exit"))'
# ---- runtimes whose reads by name no probe sees: what they inherit, and that it is so, of each process ----
unseen() { # NAME REASON PROGRAM...: reads IVG_TEST_TOKEN and prints it, twice in a run
	local what=$1 reason=$2
	shift 2
	if [ ! -x "$(command -v "$1")" ]; then
		test_begin "$what"
		skip "no $1 here"
		return
	fi
	# shellcheck disable=SC2016
	IVG_TEST_TOKEN=planted-Wx31-secret-value-98 run -- bash -c '"$@" && "$@"' bash "$@" >"$work/out"
	check "$what: the program read it, twice" test "$(grep -c planted-Wx31-secret-value-98 "$work/out")" = 2
	see "$what: no read of it is in the stream, and each of the processes says why" \
		'not reads("IVG_TEST_TOKEN") and len([e for e in action("exit") if "'"$reason"'" in get(e, "invigil.env.unseen", "")]) == 2'
	see "$what: near miss: bash's own does not" 'not any(get(e, "invigil.env.unseen") for e in action("exit") if get(e, "process.name") == "bash")'
	see "$what: and once the run" 'len([e for e in action("coverage-gap") if get(e, "event.kind") == "metric" and "'"$reason"'" in get(e, "invigil.gap.reason", "")]) == 1'
	see "$what: what it inherited is known" 'len([e for e in execs() if get(e, "process.name") != "bash" and "IVG_TEST_TOKEN" in get(e, "invigil.exec.env_sensitive", [])]) >= 2 and evidence("R1.11")'
}
# shellcheck disable=SC2016
unseen "Perl" "what Perl reads" perl -e 'print "$ENV{IVG_TEST_TOKEN}\n"'
unseen "PyPy" "what PyPy reads" pypy3 -c 'import os; print(os.environ["IVG_TEST_TOKEN"])'
unseen "Python 2" "what Python 2 reads" "$(ls -d /root/.pyenv/versions/2.*/bin/python2 2>/dev/null || echo python2)" -c 'import os; print(os.environ["IVG_TEST_TOKEN"])'
cat >"$work/walks.c" <<'C'
#include <stdio.h>
#include <string.h>
extern char **environ;
int main(void)
{
	for (char **e = environ; *e; e++)
		if (!strncmp(*e, "IVG_TEST_TOKEN=", 15))
			puts(*e + 15);
	return 0;
}
C
built stripped gcc -static -s -o "$work/stripped" "$work/walks.c"
unseen "a static, stripped program" "static program has no symbols" "$work/stripped"
cat >"$work/T.java" <<'JAVA'
public class T {
	public static void main(String[] a) {
		System.out.println(System.getenv("IVG_TEST_TOKEN"));
	}
}
JAVA
if command -v javac >/dev/null && javac -d "$work" "$work/T.java" 2>"$work/why"; then
	unseen "Java" "what Java reads by name" java -XX:+UseSerialGC -cp "$work" T
	see "near miss: a JVM that copies its environment is no alert" 'not [e for e in alerts() if get(e, "rule.id").startswith("R1")]'
	see "Java: its copy is told" 'len([e for e in action("env-read") if get(e, "process.name") == "java" and get(e, "invigil.env.mechanism") == "copy"]) == 2'
else
	test_begin "Java"
	skip "no javac here"
fi

# ---- what a file holds is looked up once for each build id: the twin has the same, and no name of a function ----
if built one gcc -static -Wl,--build-id=sha1 -o "$work/one" "$work/c.c"; then
	sed s/getenv/hidden/g "$work/one" >"$work/two"
	chmod 755 "$work/two"
	twins='len([r for r in reads("IVG_SET") if r["mechanism"] == "getenv"])'
	IVG_SET=1 run -- sh -c '"$1"; "$2"' sh "$work/one" "$work/two" >"$work/out"
	see "a file with a known build id is not looked up again" "$twins == 2"
	IVG_SET=1 run -- "$work/two" >"$work/out"
	see "near miss: alone its functions have no names" "$twins == 0 and any('no symbols' in get(e, 'invigil.env.unseen', '') for e in action('exit'))"
	chown nobody "$work/two"
	IVG_SET=1 run -- sh -c '"$1"; "$2"' sh "$work/one" "$work/two" >"$work/out"
	see "near miss: of a user's file its build id is not believed" "$twins == 1"
fi

# ---- all of it at once ----
dumps() { # NAME COPIES COMMAND...: printed as a whole, that often
	local what=$1 copies=$2
	shift 2
	run -- "$@" >"$work/out"
	see "$what" 'len([r for r in reads() if r["mechanism"] == "copy"]) == '"$copies"' == len(evidence("R1.4"))'
}
dumps "env prints all: a copy" 1 env
check "(it does)" grep -q ^PATH= "$work/out"
dumps "printenv, too" 1 printenv
dumps "and set in a shell" 1 sh -c set
dumps "near miss: printenv with a name" 0 printenv PATH
dumps "near miss: env that starts a program" 0 env true
dumps "near miss: set with an argument" 0 sh -c 'set -e'
if command -v node >/dev/null; then
	export DOCKER_HOST=unix:///none.sock IVG_TEST_TOKEN=planted-Wx31-secret-value-97
	dumps "Node: a spread of process.env is a copy" 1 node -e 'console.log({...process.env}.IVG_TEST_TOKEN)'
	check "(which has it)" grep -q planted-Wx31-secret-value-97 "$work/out"
	see "and no read of what is in it" 'not reads("DOCKER_HOST") and not reads("IVG_TEST_TOKEN") and not alerts("R1.2") and not alerts("R1.3")'
	see "what cannot be told behind it is said" 'any("behind a copy" in get(e, "invigil.env.unseen", "") for e in action("exit"))'
	dumps "Node: one copy after the other, with so many names between them that the kernel forgets what it told" 1 \
		node -e 'for (let i = 0; i < 800; i++) { process.env["IVG_OTHER_" + i]; if (i % 80 == 0) ({...process.env}); }'
	see "no name of them is told by itself" 'not reads("DOCKER_HOST") and not reads("IVG_TEST_TOKEN") and not alerts("R1.2") and not alerts("R1.3") and reads("IVG_OTHER_799")'
	dumps "near miss: a few single reads are none" 0 node -e 'process.env.DOCKER_HOST; process.env.IVG_TEST_TOKEN'
	see "they alert" 'alerts("R1.2") and alerts("R1.3")'
	unset DOCKER_HOST IVG_TEST_TOKEN
fi
run --gate off -- "$work/c" >/dev/null
see "near miss: what was attached before is not late" 'all(r["late"] is False for r in reads())'
cat >"$work/million.c" <<'C'
#include <stdlib.h>
int main(void)
{
	for (int i = 0; i < 1000000; i++)
		getenv("IVG_MILLION");
	return 0;
}
C
if built million gcc -O2 -o "$work/million" "$work/million.c"; then
	run -- "$work/million"
	see "a million reads are one event, counted whole" 'len(reads("IVG_MILLION")) == 1 and not action("events-lost") and 1000000 <= sum(get(e, "invigil.env.reads") for e in action("exit")) < 1000100'
fi
finish
