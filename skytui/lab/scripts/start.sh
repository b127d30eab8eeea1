#!/bin/sh
# Start database and server in the role the data directory has. Refuses (3) when one of them runs.
. "${0%/*}/host.sh"
begin "$@"
program skytui.lab.service start
