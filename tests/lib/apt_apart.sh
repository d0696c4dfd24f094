# shellcheck shell=bash disable=SC2154
# apt_apart.sh: sourced; apt with lists of its own in $apart, for packages of architecture $arch (amd64, arm64) that are unpacked
# and not installed: the machine's own lists and packages are left as they are.
apt_apart() { # COMMAND ARGUMENTS...
	local command=$1
	shift
	"$command" -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$apart/sources" -o Dir::State::lists="$apart/lists" \
		-o Dir::State::status=/dev/null -o Dir::Cache="$apart/cache" -o Acquire::Languages=none -o APT::Sandbox::User=root \
		-o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o Debug::NoLocking=1 -o APT::Architecture="$arch" \
		-o APT::Architectures="$arch" -qq "$@"
}
apt_apart_update() { # SUITES...: 1 when not all of them are served
	local uri keyring=/usr/share/keyrings/debian-archive-keyring.gpg suite
	mkdir -p "$apart"/{sources,lists/partial,cache/archives/partial}
	for suite; do
		# The mirrors that this machine's own apt uses: of security suites another one.
		uri=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 2>/dev/null |
			case $suite in *-security) grep 'debian[^ ]* [a-z]*-security$' ;; *) grep 'debian[^ ]* [a-z]*$' ;; esac |
			cut -d' ' -f1 | head -1)
		[ -n "$uri" ] || { echo "apt: knows no mirror for $suite" >&2; continue; }
		echo "deb [signed-by=$keyring arch=$arch] $uri $suite main" >"$apart/sources/$suite.list"
	done
	apt_apart apt-get update
}
apt_apart_unpack() { # FOLDER PACKAGES...: their newest versions, into FOLDER
	local folder=$1 work status=0
	shift
	work=$(mktemp -d)
	mkdir -p "$folder"
	(cd "$work" && apt_apart apt-get download "$@" && for deb in *.deb; do dpkg-deb -x "$deb" "$folder" || exit; done) >&2 || status=1
	rm -rf "$work"
	return $status
}
