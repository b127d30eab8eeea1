# Read by the scripts of this folder: what this host is, and the log of what was called here.
# Every call of a script that changes something leaves a line when it begins and one when it ends; a script that
# was killed leaves only the first.

home=${0%/*}/..
home=$(cd "$home" && pwd -P) || exit 1
. "$home/conf/node.sh"
export SKYTUI_LAB="$lab" SKYTUI_HOST="$name"
if [ -n "$pythonpath" ]; then export PYTHONPATH="$pythonpath"; fi

# One JSON string without its quotes.
escaped() {
    printf '%s' "$1" | tr -d '\000-\037\177' | sed 's/\\/\\\\/g; s/"/\\"/g'
}

# Called as SCRIPT --check it only shows that it can run: under this account, without a terminal.
case ${1-} in
    --check)
        echo "${0##*/} can run on $name"
        exit 0
        ;;
esac

noted() {
    printf '{"at":"%s","script":"%s","args":[%s],"pid":%s,"phase":"%s"%s}\n' \
        "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "${0##*/}" "$call_args" "$$" "$1" "$2" >>"$home/logs/invocations.jsonl"
}

begin() {
    call_args=
    for argument; do call_args="$call_args${call_args:+,}\"$(escaped "$argument")\""; done
    noted begin ''
    trap 'code=$?; noted end ",\"exit\":$code"' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

program() {
    "$python" -m "$@" --config "$home/conf/node.toml"
}
