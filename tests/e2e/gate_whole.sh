#!/bin/bash
# gate_whole.sh: gate.sh with 200 new programs of each kind and 50 kills.
# long: each new program and each kill takes about a second
GATE_FIRST=200 GATE_KILLS=50 exec bash "$(dirname "$0")/gate.sh"
