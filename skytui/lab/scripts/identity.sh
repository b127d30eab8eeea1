#!/bin/sh
# Print this host's name and role. Changes nothing.
. "${0%/*}/host.sh"
role=master
if [ -e "$data/standby.signal" ]; then role=standby; fi
printf '%s %s\n' "$name" "$role"
