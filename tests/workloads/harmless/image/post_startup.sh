#!/bin/sh
# Waits until the server answers on PORT.
for i in $(seq 20); do
	if wget -q -O - "http://127.0.0.1:$1/" 2>/dev/null; then exit 0; fi
	usleep 200000
done
echo "no answer on port $1 ($i tries)" >&2
exit 1
