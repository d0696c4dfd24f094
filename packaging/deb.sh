#!/bin/bash
# deb.sh FOLDER: builds the Debian package from the files of this checkout into FOLDER.
set -eu
cd "$(dirname "$0")/.."
into=$(realpath "${1:?usage: deb.sh FOLDER}")
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir "$tree/invigil"
git ls-files -z --cached --others --exclude-standard | xargs -0 cp -P --parents -t "$tree/invigil"
cp -rL packaging/debian "$tree/invigil/debian"
cd "$tree/invigil"
dpkg-buildpackage -us -uc -b -j2
cp "$tree"/*.deb "$into"
