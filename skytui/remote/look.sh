# What became of a command, and what it has said since an offset. POSIX sh; run as
#   sh -c TEXT skytui TOKEN OFFSET TURNS VOID
# Waits up to TURNS turns for something new. With VOID = void a token that was never used is used up, so that
# a start of it that is still on its way comes too late. First line: the state. Then bytes of its output.
set -u
umask 077
token=$1 offset=$2 turns=$3
base=$HOME/.skytui/commands
folder=$base/$token

if [ "$4" = void ] && [ ! -d "$folder" ]; then
    mkdir -p "$base" 2>/dev/null
    if mkdir "$folder" 2>/dev/null; then : >"$folder/void"; fi
fi

alive() {
    pid=$(cat "$folder/pid" 2>/dev/null)
    [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null || return 1
    # A pid may have been given to another process since: ours has the folder among its arguments.
    if [ -r "/proc/$pid/cmdline" ]; then
        tr '\000' '\n' <"/proc/$pid/cmdline" 2>/dev/null
    else
        ps -o args= -p "$pid" 2>/dev/null
    fi | grep -F -- "$folder" >/dev/null
}

state() {
    if [ ! -d "$folder" ]; then
        echo absent
    elif [ -f "$folder/void" ]; then
        echo void
    elif [ -f "$folder/code" ]; then
        echo "ended $(cat "$folder/code")"
    elif [ ! -f "$folder/pid" ]; then
        echo claimed
    elif alive; then
        echo running
    elif [ -f "$folder/code" ]; then
        echo "ended $(cat "$folder/code")"
    else
        echo vanished
    fi
}

size() {
    if [ -f "$folder/output" ]; then echo $(($(wc -c <"$folder/output"))); else echo 0; fi
}

while [ "$turns" -gt 0 ] && [ "$(size)" -le "$offset" ]; do
    case $(state) in
    running | claimed) ;;
    *) break ;;
    esac
    sleep 0.2 2>/dev/null || sleep 1
    turns=$((turns - 1))
done

state
[ ! -f "$folder/output" ] || tail -c "+$((offset + 1))" "$folder/output" | dd bs=65536 count=1 2>/dev/null
