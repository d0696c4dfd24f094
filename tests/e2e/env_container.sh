#!/bin/bash
# env_container.sh: reads in containers: a second one of the same image needs no new probe, and none counts twice.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
engine_up

cat >"$work/c.c" <<'C'
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	for (int i = 0; i < 100 || argc > 1; i++) {
		getenv("IVG_IN_CONTAINER");
		usleep(argc > 1 ? atoi(argv[1]) : 0);
	}
	return 0;
}
C
cat >"$work/loads.c" <<'C'
#include <dlfcn.h>
#include <unistd.h>
int main(void)
{
	char *(*get)(const char *) = dlsym(dlopen("/lib/libget.so", RTLD_NOW), "getenv");

	for (int i = 0; i < 1500; i++) {
		get("IVG_BY_DLOPEN");
		usleep(20000);
	}
	return 0;
}
C
echo 'char *getenv(const char *name) { return name[0] == 1 ? "" : 0; }' >"$work/get.c"
libc=$(ldconfig -p | sed -n 's/.*libc\.so\.6 (libc6,x86-64).*=> //p' | head -1)
mkdir -p "$work/image/lib64" "$work/image/lib" "$work/image/bin"
check "the image is made" bash -c "gcc -o '$work/image/bin/reads' '$work/c.c' && gcc -o '$work/image/bin/loads' '$work/loads.c' &&
	gcc -shared -fPIC -fno-builtin -o '$work/image/lib/libget.so' '$work/get.c' && cp '$libc' '$work/image/lib/' &&
	cp /lib64/ld-linux-x86-64.so.2 '$work/image/lib64/' && cp /bin/busybox '$work/image/bin/sh' &&
	tar -C '$work/image' -c . | docker import - invigil/reads:1"
case $(docker info -f '{{.Driver}}') in
overlay*) ;;
*)
	test_begin "containers over one layer"
	skip "the engine's driver is $(docker info -f '{{.Driver}}')"
	finish
	;;
esac
cat >"$work/all" <<'SH'
set -e
docker run -d --network none --name first invigil/reads:1 reads 20000 >/dev/null
for i in $(seq 600); do grep -q '"env":{"name":"IVG_IN_CONTAINER"' "$1" && break; sleep 0.05; done
docker rm -f first >/dev/null
docker run --rm --network none --name second -e IVG_IN_CONTAINER=1 -e IVG_DB_PASSWORD=planted-in-second-9121 -e IVG_EMPTY_TOKEN= invigil/reads:1 reads
docker run -d --network none --name third invigil/reads:1 sh -c 'while :; do read -t 9 _; done' >/dev/null
docker exec -e IVG_EXEC_TOKEN=planted-in-third-9122 third reads
docker cp third:/bin/reads - >/dev/null
docker rm -f third >/dev/null
docker run -d --network none --name fourth invigil/reads:1 loads >/dev/null
for i in $(seq 600); do grep -q '"env":{"name":"IVG_BY_DLOPEN"' "$1" && break; sleep 0.05; done
docker rm -f fourth >/dev/null
SH
check "four containers of an image" run -- sh "$work/all" "$ev"
reads='[e for e in action("env-read") if get(e, "invigil.env.name") == "IVG_IN_CONTAINER"]'
see "each tells of its read once" "len($reads) == 3 and len({get(e, 'container.id') for e in $reads}) == 3"
see "the first one's probes came late, and that is said" "get(($reads)[0], 'invigil.env.late') is True and gap('had started')"
see "the second and an exec in the third needed none" "[get(e, 'invigil.env.late') for e in ($reads)[1:]] == [False, False]"
see "what they received is known" "[get(e, 'invigil.env.found') for e in $reads] == [False, True, False]"
see "and names of sensitive variables: as the engine is asked, and as each process got them (R1.11)" \
	"[(get(e, 'event.action'), f['evidence']) for e in evidence('R1.11') for f in get(e, 'invigil.findings') if f['rule'] == 'R1.11' and e in action('container-create') + action('exec-create')] == [('container-create', 'a container receives IVG_DB_PASSWORD'), ('exec-create', 'a container receives IVG_EXEC_TOKEN')] and [get(e, 'invigil.exec.env_sensitive') for e in execs('reads')] == [None, ['IVG_DB_PASSWORD'], ['IVG_EXEC_TOKEN']]"
check "near miss: their values are nowhere" bash -c "! grep -q 'planted-in' '$ev'"
see "a library that is opened at run time has probes, too" '[get(e, "container.name") for e in action("env-read") if get(e, "invigil.env.name") == "IVG_BY_DLOPEN"] == ["fourth"]'
see "each read counts once" "all(100 <= n < 130 for n in [get(e, 'invigil.env.reads') for e in action('exit') if get(e, 'process.pid') in [get(r, 'process.pid') for r in ($reads)[1:]]])"
finish
