"""inspect_loop.py BLOCKS CALLS: CPU ns of docker-py's inspect of an image, the monitor's too; takes turns with others."""
import sys

import docker
import turns

client = docker.from_env()
turns.tell(turns.measure(lambda: client.api.inspect_image("invigil/base:1"), *map(int, sys.argv[1:3]), clock=turns.cpu))
