#!/bin/sh
# salvage.sh MARK: before this former master is converted, save what only it has into salvage/MARK: run rows and
# output files that the new master lacks. Its database runs on a private socket meanwhile, without a server.
# Exit codes: 2 bad input, 3 wrong role or server running, 5 new master unreachable; nothing was changed then.
. "${0%/*}/host.sh"
begin "$@"
program skytui.lab.salvage "$@"
