#!/bin/bash
# kills.sh: restart.sh with a daemon that is killed 30 times.
# long: each start of a daemon, with two runs to take up, takes some two seconds of CPU
KILLS=30 exec bash "$(dirname "$0")/restart.sh"
