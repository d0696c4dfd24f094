#!/bin/bash
# mutants.sh: each line of the detectors and of what they stand on, broken, makes a unit test fail.
# long: some 800 compilations and runs of unit tests
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
check "no mutant survives that tests/lib/mutants.tsv does not know" make -s --no-print-directory -C "$root" mutants
finish
