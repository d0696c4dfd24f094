#!/usr/bin/env bats
# tools.bats: what a suite for command-line tools does.
setup() {
	folder=$(mktemp -d)
	cd "$folder" || return 1
}
teardown() {
	cd /
	rm -rf "$folder"
}
@test "sort sorts" {
	run sort <<<$'b\na'
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = a ]
}
@test "words are counted by a shell" {
	run bash -c 'echo one two | wc -w'
	[ "$output" -eq 2 ]
}
@test "an archive holds its file" {
	mkdir d
	echo x >d/x
	tar -czf d.tgz d
	tar -tzf d.tgz | grep -q d/x
}
@test "a log of its own" {
	date >run.log
	[ -s run.log ]
}
