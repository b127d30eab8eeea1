# The mark of a run on this host. POSIX sh; run as
#   sh -c TEXT skytui set PAIR IDENTITY WHAT TAKE STALE
#   sh -c TEXT skytui clear PAIR IDENTITY
# A mark is the folder ~/.skytui/marks/PAIR/held with one file in it: an identity, the heartbeat in seconds by
# this host's clock, and WHAT, a line. It comes and goes whole, by a rename, so that of those who claim it at once
# one wins. One that lacks its identity or heartbeat is what a crash of this host left, and nobody's.
# `set` refreshes our own mark, claims a free one, and replaces the one of identity TAKE if its heartbeat is at
# least STALE seconds old. First line: kept, free, took or other, with the age of the heartbeat and the identity
# that were found; or failed WHY. Second line: what was found. `clear` removes our own: cleared, or other.
set -u
umask 077
operation=$1 base=$HOME/.skytui/marks/$2 own=$3 what=${4-} take=${5-} stale=${6-0}
held=$base/held
work=$base/work.$$
took=
newline='
'

say() {
    cd /
    rm -rf "$work"
    printf '%s\n' "$@"
    exit 0
}

# What the mark in folder $1 says. Fails when it is nobody's.
read_mark() {
    found=$(cat "$1/mark" 2>/dev/null)
    its=${found%%"$newline"*}
    rest=${found#*"$newline"}
    beat=${rest%%"$newline"*}
    text=${rest#*"$newline"}
    case $beat in
    '' | *[!0-9]*) return 1 ;;
    esac
    silent=$((now - beat))
    [ "$silent" -ge 0 ] || silent=0
}

write() {
    printf '%s\n' "$own" "$now" "$what" >"$1/mark.$$" && mv -f "$1/mark.$$" "$1/mark"
}

# Take away the mark that was read last. What turns out to be another by now is put back, if nothing has come
# into its place; whoever had it then finds that out with its next heartbeat.
remove() {
    judged=$found
    mkdir -p "$work" && mv -f "$held" "$work/" 2>/dev/null || return 1
    if [ "$(cat "$work/held/mark" 2>/dev/null)" = "$judged" ]; then
        rm -rf "$work/held"
    else
        mv -f "$work/held" "$base/" 2>/dev/null
        return 1
    fi
}

# A rename onto a folder that is not empty fails.
claim() {
    mkdir -p "$work/held" && write "$work/held" || say "failed $work cannot be written"
    mv -f "$work/held" "$base/" 2>/dev/null
}

now=$(date +%s 2>/dev/null)
case $now in
'' | *[!0-9]*) say 'failed its date does not know +%s' ;;
esac
[ "$operation" = set ] || [ -d "$held" ] || say cleared
mkdir -p "$base" 2>/dev/null || say "failed $base cannot be made"

turns=20
while [ "$turns" -gt 0 ]; do
    turns=$((turns - 1))
    cd "$base" || say "failed $base cannot be entered"
    # From inside the folder: if somebody takes it away meanwhile, what we write goes with it.
    if cd held 2>/dev/null; then
        if ! read_mark .; then
            remove || continue
        elif [ "$operation" = clear ]; then
            [ "$its" = "$own" ] || say "other $silent $its" "$text"
            remove || continue
        elif [ "$its" = "$own" ]; then
            age=$silent was=$text failed=
            write . 2>/dev/null || failed=yes
            if read_mark "$held" && [ "$its" = "$own" ]; then
                [ -z "$failed" ] || say "failed $held cannot be written"
                say "kept $age $own" "$was"
            fi
            continue
        elif [ "$its" = "$take" ] && [ "$silent" -ge "$stale" ]; then
            remove || continue
            took="took $silent $its$newline$text"
        else
            say "other $silent $its" "$text"
        fi
    fi
    [ "$operation" = set ] || say cleared
    if claim; then say "${took:-free 0 $own}"; fi
done
say "failed $held cannot be had"
