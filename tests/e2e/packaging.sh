#!/bin/bash
# packaging.sh: completion offers what the program takes; the recipes for CI systems do what they say with the variables that each system sets.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# ---- completion ----
mkdir "$work/bin"
ln -s "$invigil" "$work/bin/invigil"
offered() { # WORD...: what is offered for the last of them
	PATH=$work/bin:$PATH bash -c '. /usr/share/bash-completion/bash_completion; . packaging/invigil.bash; unset LINES COLUMNS
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE} COMPREPLY=(); _invigil; printf "%s\n" "${COMPREPLY[@]}"' - "$@" | sort -u
}
same() { diff <(offered "$@") "$work/want"; }
"$invigil" help | sed -n 's/^  \([a-z]*\) .*/\1/p' | sort >"$work/want"
check "every command is offered" same invigil ''
check "and after help" same invigil help ''
for c in run daemon replay risks check; do
	sed -n "s/.*{ \"\([a-z-]*\)\", .*/--\1/p" user/option.c | sort -u >"$work/all"
	"$invigil" help $c | sed 1,2d | cut -c1-26 >"$work/column" # the rest is prose
	grep -oE -- '--[a-z-]+' "$work/column" | sort -u | comm -12 - "$work/all" >"$work/long"
	sed -n 's/^ *\(-[a-z]\)[, ].*/\1/p' "$work/column" | sort -u - "$work/long" >"$work/want"
	[ -s "$work/long" ] || { test_begin "$c has options" && fail none; }
	check "every option of $c is offered, and no other" same invigil $c -
done
choices() { # OPTION WORD...
	printf '%s\n' "${@:2}" | sort >"$work/want"
	check "the words of $1 are offered" same invigil run "$1" ''
}
choices --fail-on low medium high critical never
choices --gate exec mmap off
choices --env-reads off c all
choices --engine-bytes fexit copy tracepoint syscall
printf '%s\n' json markdown mdoc text >"$work/want"
check "and of another command's" same invigil risks --format ''
echo medium >"$work/want"
check "by their beginning" same invigil run --fail-on me
printf '' >"$work/name-of-a-file"
echo "$work/name-of-a-file" >"$work/want"
check "near miss: files where no word is asked for" same invigil run --output "$work/name-of"

# ---- users, folders, rotation ----
mkdir -p "$work/tree/var/log" "$work/tree/run" "$work/tree/etc"
check "sysusers makes user and group" systemd-sysusers --root="$work/tree" "$root/packaging/invigil.sysusers"
check "the user cannot log in" grep -qE '^invigil:[^:]*:[0-9]+:[0-9]+:[^:]*:[^:]*:/usr/sbin/nologin$' "$work/tree/etc/passwd"
check "tmpfiles makes the folders" systemd-tmpfiles --root="$work/tree" --create "$root/packaging/invigil.tmpfiles"
check "for root and the group alone" test "$(stat -c '%u:%g %a' "$work/tree/var/log/invigil")" = "0:$(sed -n 's/^invigil:[^:]*:\([0-9]*\):.*/\1/p' "$work/tree/etc/group") 750"
mkdir -m 750 "$work/log"
sed "s,/var/log/invigil,$work/log," packaging/invigil.logrotate >"$work/rotate"
echo '{"a":1}' >"$work/log/events.jsonl"
echo '{"b":1}' >"$work/log/a-run.jsonl"
check "logrotate takes its file" logrotate -f -s "$work/rotate-state" "$work/rotate"
check "the shared stream is rotated" grep -q '"a"' "$work/log/events.jsonl.1"
check "near miss: a run's own is not" test ! -e "$work/log/a-run.jsonl.1"

# ---- the recipes: what looks like a job ----
daemons_lock
step=$root/packaging/ci-step.sh
chmod 755 "$work"
# The command that a recipe gives its shell, with our own step in the installed one's place.
recipe() { # FILE
	case $1 in
	*.yml) python3 - "$1" ;;
	*) sed -n "s/^[[:space:]]*sh '\(.*\)'$/\1/p" "$1" ;;
	esac <<'PY' | sed "s,/usr/share/invigil/ci-step.sh,$step,"
import sys, yaml
doc = yaml.safe_load(open(sys.argv[1]))
if "runs" in doc:
    assert doc["runs"]["using"] == "composite"
    first = doc["runs"]["steps"][0]
    assert "${{" not in first["run"], "inputs must not be read as code"
    assert set(first["env"]) == {"STEP_COMMAND", "INVIGIL_FAIL_ON", "INVIGIL_REQUIRE_COMPLETE", "INVIGIL_STEP_DIR"}
    print(first["run"])
else:
    print("\n".join(doc[".invigil"]["script"]))
PY
}
in_job() { # FILE VARIABLE=VALUE...: as root, whose own step needs no daemon
	local script
	script=$(recipe "$1")
	[ -n "$script" ] || { echo "no script in $1"; return 99; }
	(cd "$work" && env -i PATH="$work/bin:/usr/bin:/bin" HOME=/root LANG=C.UTF-8 "${@:2}" bash -c "$script" >"$work/out" 2>"$work/err")
}
# As https://docs.github.com/actions/reference/variables-reference has them.
github=(CI=true GITHUB_ACTIONS=true GITHUB_RUN_ID=1658821493 GITHUB_JOB=tests GITHUB_RUN_ATTEMPT=1 GITHUB_REPOSITORY=octocat/Hello-World
	GITHUB_WORKFLOW=ci GITHUB_SHA=ffac537e6cbbf934b08745a378932722df287a53 GITHUB_REF=refs/heads/main GITHUB_SERVER_URL=https://github.com
	RUNNER_TEMP="$work/temp" GITHUB_STEP_SUMMARY="$work/step-summary" INVIGIL_STEP_DIR="$work/temp/invigil-report" INVIGIL_REQUIRE_COMPLETE=0)
# https://docs.gitlab.com/ci/variables/predefined_variables
gitlab=(CI=true GITLAB_CI=true CI_JOB_ID=1234 CI_PIPELINE_ID=77 CI_JOB_NAME=tests CI_PROJECT_PATH=group/project CI_SERVER_URL=https://gitlab.example.com
	CI_COMMIT_SHA=ffac537e6cbbf934b08745a378932722df287a53 INVIGIL_STEP_DIR=invigil-report)
# https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables
jenkins=(BUILD_ID=153 BUILD_NUMBER=153 BUILD_TAG=jenkins-tests-153 JOB_NAME=tests BUILD_URL=http://jenkins.example.com/job/tests/153/
	EXECUTOR_NUMBER=0 NODE_NAME=agent-1 WORKSPACE="$work" INVIGIL_STEP_DIR=invigil-report)
piped='printf "echo hi\n" | base64 | base64 -d | sh; exit'
of() { # SYSTEM FILE EVENTS PIPELINE VARIABLE...
	local name=$1 file=$2 events=$3 pipeline=$4
	shift 4
	check "$name: a step passes the command's status on" status_is 7 in_job "$file" "$@" INVIGIL_FAIL_ON=never STEP_COMMAND="$piped 7"
	see "$name: its stream is whole, and carries the job" "ended() and gapless() and get(ev[0], 'cicd.pipeline.run.id') == '$pipeline'" "$events"
	check "$name: the gate fails the step" status_is 120 in_job "$file" "$@" INVIGIL_FAIL_ON=medium STEP_COMMAND="$piped 0"
	check "$name: near miss: a higher level does not" status_is 0 in_job "$file" "$@" INVIGIL_FAIL_ON=critical STEP_COMMAND="$piped 0"
	check "$name: a command is one word, whatever is in it" status_is 3 in_job "$file" "$@" INVIGIL_FAIL_ON=never STEP_COMMAND="[ \"a  'b'\" = 'a  '\"'b'\" ] && exit 3"
	check "$name: a pipeline fails when a part of it does" status_is 1 in_job "$file" "$@" INVIGIL_FAIL_ON=never STEP_COMMAND='false | true'
}
of github packaging/github/action.yml "$work/temp/invigil-report/events.jsonl" 1658821493 "${github[@]}"
check "github: the job summary has the report of each step" test "$(grep -c '^# \|^## ' "$work/step-summary")" -ge 4
check "github: with all nine categories" bash -c "for i in 1 2 3 4 5 6 7 8 9; do grep -q \"R\$i\" '$work/step-summary' || exit 1; done"
of gitlab packaging/gitlab/invigil.gitlab-ci.yml "$work/invigil-report/events.jsonl" 77 "${gitlab[@]}"
of jenkins packaging/jenkins/invigil.groovy "$work/invigil-report/events.jsonl" 153 "${jenkins[@]}"
check "no recipe asks for what this version refuses" bash -c "! grep -rhE '^[^#/]*--(sarif|junit|report|attestation|policy)' packaging/*"
check "without root and without a daemon a step says what it needs" bash -c \
	"mkdir -m 777 '$work/user' && cd '$work/user' && ! setpriv --reuid=65534 --regid=65534 --clear-groups env -i PATH='$work/bin:/usr/bin:/bin' INVIGIL_SOCKET='$work/none' '$step' -- true 2>'$work/err' && grep -q 'run needs root' '$work/err'"
finish
