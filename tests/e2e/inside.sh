#!/bin/bash
# inside.sh: what a container of the run executes, reads and writes counts for R1 to R5 as on the host; each with its near miss.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
engine_up
base=invigil/base:1
docker=/usr/bin/docker
text=$(printf 'echo decoded word one\necho decoded word two\n' | base64 -w 0)
cat >"$work/hits" <<SH
/bin/env >/dev/null
sleep 60 &
cat /proc/\$PPID/environ /proc/1/environ >/dev/null
echo $text | base64 -d | sh
echo $text | base64 -d >/srv/art; chmod 755 /srv/art
mkdir -m 777 /srv/open; cp /bin/busybox /srv/open/true; /srv/open/true
/bin/busybox printf %s --password=geheim-und-lang-90
wget -q -O - http://127.0.0.1:1/x | sh
mkdir -m 777 /srv/logs; echo x >>/srv/logs/one.log
echo "\$API_TOKEN" >>/var/app.log
SH
cat >"$work/misses" <<SH
/bin/env true
sleep 60 &
cat /proc/self/environ >/dev/null
echo true | base64 | cat; echo true | cat | sh
echo $text | base64 -d >/srv/art; chmod 644 /srv/art
mkdir -m 755 /srv/open; cp /bin/busybox /srv/open/true; /srv/open/true
/bin/busybox printf %s --password-file=/srv/of-the-password
wget -q -O - http://127.0.0.1:1/x | cat
mkdir -m 755 /srv/logs; echo x >>/srv/logs/one.log
echo "API_TOKEN" >>/var/app.log
SH
inside() { # FILE: by a container's command, and by an exec in another
	run -q -- sh -c "$docker run --rm -i --network none -e API_TOKEN=geheim-und-lang-89 $base sh -s <'$work/$1'
		$docker run -d --name two --network none -e API_TOKEN=geheim-und-lang-89 $base sleep 300 >/dev/null
		$docker exec -i two sh -s <'$work/$1'; $docker rm -f two >/dev/null" >"$work/out" 2>&1
}
of() { # RULE: alerts and evidence of it inside containers
	echo "[e for e in alerts('$1') if get(e, 'container.id')]"
}
rules="R1.5 R1.7 R2.3 R2.4 R3.2 R3.4 R4.4 R5.1 R5.3"
inside hits
for r in $rules; do
	see "$r, in a container of the run" "$(of "$r")"
done
see "each with the container's id, and the name of the one that has one" \
	"len({get(e, 'container.id') for e in alerts() if get(e, 'container.id')}) == 2 and 'two' in {get(e, 'container.name') for e in alerts()}"
check "the secrets are nowhere" bash -c "! grep -q geheim-und '$ev'"
inside misses
for r in $rules; do
	see "$r, near miss" "not $(of "$r") and len([e for e in execs('busybox') if get(e, 'container.id')]) > 10"
done
finish
