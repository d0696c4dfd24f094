# source.sh: fetches a Debian source package with a private list of sources: the host's own is left alone; sourced.
# shellcheck shell=bash

source_get() { # PACKAGE DIR: its tree, in DIR
	local apt=$2.apt from=$2.source
	mkdir -p "$apt/parts" "$apt/lists/partial" "$apt/cache/archives/partial" "$from"
	cat /etc/apt/sources.list.d/*.sources 2>/dev/null | sed 's/^Types:.*/Types: deb-src/' >"$apt/parts/all.sources"
	grep -h '^deb ' /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | sed 's/^deb /deb-src /' >"$apt/parts/all.list"
	cat >"$apt/conf" <<-CONF
		Dir::Etc::sourcelist "/dev/null";
		Dir::Etc::sourceparts "$apt/parts";
		Dir::State::lists "$apt/lists";
		Dir::Cache "$apt/cache";
		APT::Sandbox::User "root";
	CONF
	(cd "$from" && export APT_CONFIG=$apt/conf && apt-get update -qq && apt-get source -qq --download-only "$1" &&
		tar -xf "$1"_*.orig.tar.[gx]z && mv "$1"-* "$2")
}
