#!/bin/sh
# setAutostart.sh yes|no: whether this host starts its server when it boots.
. "${0%/*}/host.sh"
begin "$@"
case $#:$1 in
    1:yes | 1:no) ;;
    *)
        echo "setAutostart.sh: say yes or no" >&2
        exit 2
        ;;
esac
printf '%s\n' "$1" >"$home/conf/.autostart.$$" && mv "$home/conf/.autostart.$$" "$home/conf/autostart"
