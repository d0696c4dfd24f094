"""environ.py BLOCKS CALLS: CPU ns of os.environ.get, to fd 3, a line a block; takes turns with others."""
import os
import sys

import turns

turns.tell(turns.measure(lambda: os.environ.get("HOME"), *map(int, sys.argv[1:3])))
