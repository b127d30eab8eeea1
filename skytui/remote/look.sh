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

# Whether this host has booted since the command was started.
rebooted() {
    boot=/proc/sys/kernel/random/boot_id
    [ -s "$folder/boot" ] && [ -r "$boot" ] && [ "$(cat "$boot")" != "$(cat "$folder/boot")" ]
}

# Whether /proc shows a process of session $1 that is no zombie. A program's name may hold spaces and
# parentheses; one that looks like this by itself can only make us say that something may still run.
peopled() {
    cat /proc/[0-9]*/stat 2>/dev/null | grep -E "\) [^ZXx] [0-9]+ [0-9]+ $1 " >/dev/null
}

# Whether it is proven that nothing of the command is left.
gone() {
    if rebooted; then return 0; fi
    # Where /proc hides the processes of others, it does not show process 1 either.
    [ -f "$folder/session" ] && [ -r "/proc/$$/stat" ] && [ -r /proc/1/stat ] || return 1
    session=$(cat "$folder/pid")
    # Twice: a process that came while the list was read, as its parent left it, is in the next list.
    ! peopled "$session" && ! peopled "$session"
}

state() {
    if [ ! -d "$folder" ]; then
        echo absent
    elif [ -f "$folder/void" ]; then
        echo void
    elif [ -s "$folder/code" ]; then
        echo "ended $(cat "$folder/code")"
    elif [ ! -f "$folder/pid" ]; then
        if rebooted; then echo vanished; else echo claimed; fi
    elif alive; then
        echo running
    elif [ -s "$folder/code" ]; then
        echo "ended $(cat "$folder/code")"
    elif gone; then
        echo vanished
    else
        echo orphaned
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
