#!/bin/sh
# Make this former master a standby. Three lines on standard input: admin password, address and listen port of
# the new master. Exit codes: 2 bad input, 3 wrong role or server running, 4 login refused, 5 master unreachable,
# 6 no space, 7 re-seed failed (run it again).
. "${0%/*}/host.sh"
begin "$@"
program skytui.lab.convert
