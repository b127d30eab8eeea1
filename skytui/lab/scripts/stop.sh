#!/bin/sh
# Stop server, then database, in order. 0 only when all processes are gone.
. "${0%/*}/host.sh"
begin "$@"
program skytui.lab.service stop
