#!/bin/bash
# dashes.sh: dash as other releases have built it, each in a root with the C library of its own: variables are read by name there, too.
# long: fetches dash and libc6 of three Debian releases
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

uri=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 2>/dev/null | grep '/debian[^ ]* [a-z]*$' | cut -d' ' -f1 | head -1)
release_get() { # SUITE ROOT: both packages unpacked there
	local apt=$work/apt-$1
	mkdir -p "$apt/sources" "$apt/lists/partial" "$apt/cache/archives/partial" "$2"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg arch=amd64] $uri $1 main" >"$apt/sources/$1.list"
	cat >"$apt/conf" <<-CONF
		Dir::Etc::sourcelist "/dev/null";
		Dir::Etc::sourceparts "$apt/sources";
		Dir::State::lists "$apt/lists";
		Dir::State::status "/dev/null";
		Dir::Cache "$apt/cache";
		Acquire::Languages "none";
		APT::Sandbox::User "root";
	CONF
	(cd "$apt" && export APT_CONFIG=$apt/conf && apt-get update -qq && apt-get download -qq dash libc6 &&
		for deb in ./*.deb; do dpkg-deb -x "$deb" "$2" || exit 1; done) || return 1
	# Newer releases have all of /lib in /usr/lib.
	for d in bin lib lib64; do [ -e "$2/$d" ] || ln -s "usr/$d" "$2/$d"; done
}
for suite in bullseye bookworm trixie; do
	root_of=$work/$suite
	if [ "$(uname -m)" != x86_64 ] || [ -z "$uri" ] || ! release_get $suite "$root_of" >"$work/why" 2>&1; then
		test_begin "dash of $suite"
		skip "not to be had here: $(tail -n 1 "$work/why" 2>/dev/null)"
		continue
	fi
	# shellcheck disable=SC2016
	IVG_SET=value-4717 IVG_UNREAD=1 run -- chroot "$root_of" /bin/dash -c 'for i in 1 2; do own=${IVG_SET:-of-the-script}; done; echo "$own $IVG_SET"; IVG_OWN=1; : $IVG_OWN ${IVG_ABSENT-}' >"$work/out"
	check "dash of $suite: it read it" grep -qx 'value-4717 value-4717' "$work/out"
	see "dash of $suite: the same name, once, and nothing else" \
		'[(r["name"], r["mechanism"], r["found"]) for r in reads() if r.get("name", "").startswith("IVG_")] == [("IVG_SET", "shell", True)]'
	see "dash of $suite: nothing is said to be unseen" 'ended() and not gap("this dash") and not any(get(e, "invigil.env.unseen") for e in action("exit"))'
done
finish
