#!/bin/bash
# lint.sh: include directions, shell, manual page and static analysis.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0
fail() {
	echo "lint: $*"
	bad=1
}

# Only what loads or probes may know libbpf.
for f in $(grep -lE '^#include <bpf/' user/*.c user/*.h user/detect/* 2>/dev/null); do
	case $f in
	user/loader*.c | user/skeleton.c | user/env_attach.c | user/env_link.c | user/uprobe.c | user/probe.c | user/build_table.c) ;;
	*) fail "$f includes libbpf" ;;
	esac
done
# The pure middle: no sockets, files or clocks in detectors and parsers.
for f in user/detect/*.c user/http.c user/json*.c user/docker*.c user/ledger*.c user/dialogue.c user/exchange.c user/tar.c \
	user/record.c user/scrub*.c user/masker.c user/secret_*.c user/codec.c user/stream*.c user/alert.c user/summary.c user/pipeline.c user/take_*.c user/keep.c user/held.c user/finish.c user/ci.c user/job.c user/ecs*.c; do
	if grep -nE '\b(open|fopen|socket|clock_gettime|time|getenv|stat|fork)\(' "$f"; then fail "$f is not pure"; fi
	if grep -nE '#include "(loader|monitor|front|host|output|probe)\.h"' "$f"; then fail "$f looks upward"; fi
done
# Detectors do not know each other nor the pipeline.
grep -nE '#include "(pipeline|stream|process_table|dialogue)\.h"' user/detect/*.c && fail "a detector looks upward"
# First line of every file: one sentence of purpose.
for f in bpf/* user/*.[ch] user/detect/*.c include/*.h vmlinux/*.h; do
	head -1 "$f" | grep -qE "^/\* $(basename "$f" | sed 's/[.]/\\./g')[:,]" || fail "$f: its first line does not say its purpose"
done
command -v clang-format >/dev/null || fail "clang-format is missing"
clang-format --dry-run -Werror user/*.[ch] user/detect/*.[ch] bpf/*.[ch] include/*.h vmlinux/*.h tests/*/*.[ch] 2>&1 |
	grep -m 20 'error:' && fail "the lines above are not as .clang-format says"
# What the BPF side reads is in a real kernel, as wide as it is read.
[ -r /sys/kernel/btf/vmlinux ] || fail "no /sys/kernel/btf/vmlinux to compare vmlinux/ with"
python3 tests/lib/kernel_types.py || bad=1
command -v shellcheck >/dev/null || fail "shellcheck is missing"
shellcheck -x -S warning tests/*.sh tests/*/*.sh .ci/run packaging/*.sh || bad=1
command -v mandoc >/dev/null || fail "mandoc is missing"
mandoc -Tlint -W warning docs/*.[578] || bad=1
# Every key of the configuration is in its manual page, and no other.
diff <(sed -n 's/^\t{ "\([^"]*\)", "[^"]*", .*/\1/p' user/config_key.c) \
	<(sed -n 's/^\.It Cm \([^ ]*\) : .*/\1/p' docs/invigil.yaml.5) || fail "docs/invigil.yaml.5 has other keys than user/config_key.c"
# Every field and action of the stream's sources is in its manual page.
python3 tests/lib/event_fields.py || bad=1
python3 tests/lib/kernel_table.py --check || bad=1
# Every metric is in the manual page, and no other.
diff <({ echo invigil_build_info && sed -n 's/^\t{ "\([a-z_]*\)", "\(gauge\|counter\)",.*/\1/p' user/metrics.c; } | sort) \
	<(sed -n '/^\.Sh METRICS/,/^\.Sh SOURCE/p' docs/invigil.8 | grep -oE '\b(invigil|process)_[a-z_]+' | sort) ||
	fail "docs/invigil.8 has other metrics than user/metrics.c"
# Every option that --help prints is in the manual page.
for o in $(sed -n 's/^\t{ "\([a-z-]*\)", .*/\1/p' user/option.c | sort -u); do
	grep -qE -- "(Fl|,) -$o\b" docs/invigil.8 || fail "docs/invigil.8 has no option --$o"
done
command -v cppcheck >/dev/null || fail "cppcheck is missing"
cppcheck --quiet --error-exitcode=1 --inline-suppr --enable=warning,portability --suppress=missingIncludeSystem \
	-Iinclude -Iuser -D_GNU_SOURCE -DHAVE_YAML -D'LIBBPF_OPTS(type,name,...)=struct type name={__VA_ARGS__}' \
	-D'bpf_object__for_each_program(a,b)=while(a)' user || bad=1
exit $bad
