#!/bin/sh
# build.sh: builds and tests the package in the current folder.
set -e
./configure -q
make -s -j4
make -s check
