#!/bin/sh
# Serves its module's name on PORT until it is removed.
mkdir -p /srv/www
echo "$1" >/srv/www/index.html
exec httpd -f -p "$2" -h /srv/www
