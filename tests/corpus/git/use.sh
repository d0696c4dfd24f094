#!/bin/sh
# use.sh: a day with git, in a folder of its own.
set -e
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
d=$(mktemp -d)
trap 'rm -rf "$d"' EXIT
git init -q "$d/one"
cd "$d/one"
for i in 1 2 3 4 5; do
	echo "$i" >"f$i"
	git add "f$i"
	git commit -qm "add $i"
done
git log --oneline | wc -l
git checkout -qb topic
echo t >t
git add t
git commit -qm topic
git checkout -q -
git merge -q --no-edit topic
git gc -q
git clone -q "$d/one" "$d/two"
git clone -q --depth 1 "file://$d/one" "$d/three"
cd "$d/two"
git rebase -q HEAD~2
git format-patch -1 --stdout | git apply --stat
