#!/bin/bash
# strangers.sh: attack lines and harmless look-alikes that were written without knowing the detectors.
ATTACKS_LIST=$(dirname "$0")/../attacks/strangers.tsv exec "$(dirname "$0")/attacks.sh"
