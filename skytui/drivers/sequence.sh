# Runs commands one after the other; the first that fails ends it, and says what was done before.
# Arguments: how many there are; then for each a label, the number of its words, and the words.
# Ends with the code of the first command where that one failed, with 254 where a later one did.

run() {
    words=$1
    shift
    rest=$(($# - words))
    turn=0
    while [ "$turn" -lt "$words" ]; do # the words go behind everything else, which is then shifted away
        set -- "$@" "$1"
        shift
        turn=$((turn + 1))
    done
    shift "$rest"
    exec "$@"
}

total=$1
shift
count=0
finished=
while [ $# -gt 0 ]; do
    label=$1 words=$2
    shift 2
    count=$((count + 1))
    printf '[%d of %d] %s\n' "$count" "$total" "$label"
    (run "$words" "$@")
    code=$?
    if [ "$code" -ne 0 ]; then
        printf 'stopped at %d of %d, %s, which ended with %d; done before: %s\n' \
            "$count" "$total" "$label" "$code" "${finished:-nothing}"
        [ "$count" -eq 1 ] || code=254
        exit "$code"
    fi
    finished=${finished:+$finished, }$label
    shift "$words"
done
printf 'all %d done\n' "$total"
