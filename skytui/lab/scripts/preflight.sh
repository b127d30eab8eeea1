#!/bin/sh
# preflight.sh SCRIPT...: what a swap will need of this host, as one JSON object. Changes nothing.
# Of each script: whether it is there, may be executed, its SHA-256, and whether it runs when nobody answers a prompt
# (called with --check, it only says that it could run). Then the ports of the peer as they look from here, the mark
# of a run of the console, and when this host booted.
. "${0%/*}/host.sh"

run_alone() {
    if command -v timeout >/dev/null 2>&1; then
        timeout 10 "$home/bin/$1" --check </dev/null 2>&1
    else
        "$home/bin/$1" --check </dev/null 2>&1
    fi
}

sum_of() {
    if command -v sha256sum >/dev/null 2>&1; then sha256sum <"$1"; else shasum -a 256 <"$1"; fi
}

scripts=
for script; do
    file=$home/bin/$script
    present=false executable=false runs=null sum= says=
    if [ -f "$file" ]; then
        present=true
        sum=$(sum_of "$file")
        sum=${sum%% *}
        if [ -x "$file" ]; then
            executable=true
            if says=$(run_alone "$script"); then runs=true; else runs=false; fi
        fi
    fi
    scripts="$scripts${scripts:+,}{\"name\":\"$(escaped "$script")\",\"present\":$present,\"executable\":$executable,\
\"sha256\":\"$sum\",\"runs\":$runs,\"says\":\"$(escaped "$says")\"}"
done

# A shell cannot connect: python3 can, and nothing of ours is imported.
reaches=$("$python" -I - "$peer_address" "$peer_http_port" "$peer_pg_port" <<'EOF'
import json, socket, sys
found = []
for port in map(int, sys.argv[2:]):
    try:
        socket.create_connection((sys.argv[1], port), timeout=2).close()
        state = "open"
    except ConnectionRefusedError:
        state = "refused"
    except OSError:
        state = "no answer"
    found.append({"port": port, "state": state})
print(json.dumps(found))
EOF
)

mark= booted=
if [ -r "$HOME/.skytui/marks/$pair/held/mark" ]; then read -r mark <"$HOME/.skytui/marks/$pair/held/mark"; fi
if [ -r "$home/run/booted" ]; then read -r booted <"$home/run/booted"; fi
if [ -n "$booted" ]; then booted="\"$booted\""; else booted=null; fi

printf '{"scripts":[%s],"reaches_peer":%s,"run_mark":"%s","last_boot":%s}\n' \
    "$scripts" "${reaches:-null}" "$(escaped "$mark")" "$booted"
