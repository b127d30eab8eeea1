# Start a command once, detached from this connection. POSIX sh; run as
#   sh -c TEXT skytui TOKEN LINES EXPECTED CHECK COMMAND [ARGUMENT ...]
# LINES secret lines are read from standard input first. CHECK is run immediately before the start and must
# print exactly EXPECTED. One line is said: started, already, unsure, cut, refused WHY or failed WHY.
set -u
umask 077
token=$1 count=$2 expected=$3 check=$4
shift 4
base=$HOME/.skytui/commands
folder=$base/$token
newline='
'

say() {
    printf '%s\n' "$*"
    exit 0
}

# A printf that is a program of its own would show the lines in its argument list.
case $(command -v printf) in
*/*) [ "$count" -eq 0 ] || say "failed this sh has no printf of its own to hand secrets on" ;;
esac

lines=
came=0
while [ "$came" -lt "$count" ]; do
    IFS= read -r line || say cut
    lines=$lines$line$newline
    came=$((came + 1))
done
line=

[ ! -d "$folder" ] || say already
mkdir -p "$base" 2>/dev/null || say "failed $base cannot be made"
find "$base" -type f -name code -mtime +7 2>/dev/null | while IFS= read -r old; do
    rm -rf "${old%/code}"
done

answer=$(sh -c "$check" 2>/dev/null </dev/null)
if [ "$answer" != "$expected" ]; then
    # What the same token started a moment ago may be why the answer is another one now.
    [ ! -d "$folder" ] || say already
    say "refused $(printf '%s' "$answer" | head -n 1)"
fi
if ! mkdir "$folder" 2>/dev/null; then
    [ ! -d "$folder" ] || say already
    say "failed $folder cannot be made"
fi
: >"$folder/output" || say "failed $folder cannot be written"
# What look.sh needs to prove that nothing of the command is left.
boot=/proc/sys/kernel/random/boot_id
if [ -r "$boot" ]; then
    cat "$boot" >"$folder/boot.new" 2>/dev/null && mv "$folder/boot.new" "$folder/boot"
fi

runner='
folder=$1
shift
printf "%s\n" "$$" >"$folder/pid.new" && mv "$folder/pid.new" "$folder/pid" || exit 1
"$@" >>"$folder/output" 2>&1
printf "%s\n" "$?" >"$folder/code.new" && mv "$folder/code.new" "$folder/code"
'
detach=nohup
if command -v setsid >/dev/null 2>&1; then
    detach=setsid
    : >"$folder/session" # the runner's pid is its session's id
fi
if [ "$count" -gt 0 ]; then
    printf '%s' "$lines" | "$detach" sh -c "$runner" skytui-command "$folder" "$@" >/dev/null 2>&1 &
else
    "$detach" sh -c "$runner" skytui-command "$folder" "$@" </dev/null >/dev/null 2>&1 &
fi
child=$!
lines=

turns=200
while [ ! -f "$folder/pid" ] && [ "$turns" -gt 0 ] && kill -0 "$child" 2>/dev/null; do
    sleep 0.05 2>/dev/null || sleep 1
    turns=$((turns - 1))
done
[ -f "$folder/pid" ] || say unsure
say started
