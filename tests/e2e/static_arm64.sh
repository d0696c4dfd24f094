#!/bin/bash
# static_arm64.sh: static.sh for arm64, by Debian's cross compiler.
# long: builds twice, with what tests/lib/deps.sh arm64 fetches
ARCH=arm64 exec bash "$(dirname "$0")/static.sh"
