#!/bin/sh
# Print what this host is and what runs on it, as one JSON object. Works with everything down, changes nothing.
. "${0%/*}/host.sh"

role=master
if [ -e "$data/standby.signal" ]; then role=standby; fi

# A process counts when it runs and is that program: never by a number from a file alone, which may be another
# process's by now. A database whose pid file is gone still counts.
server_pid=null
database_pid=null
if [ -d /proc/self ]; then
    for file in $(grep -ls 'skytui[.]lab[.]server' /proc/[0-9]*/cmdline); do
        case $(tr '\000' ' ' <"$file" 2>/dev/null) in
            *" $home/conf/node.toml "*) server_pid=${file#/proc/} server_pid=${server_pid%/*} ;;
        esac
    done
    said=
    if [ -r "$data/postmaster.pid" ]; then read -r said <"$data/postmaster.pid"; fi
    for found in $(ls -l /proc/[0-9]*/cwd 2>/dev/null | sed -n "s|.* /proc/\([0-9]*\)/cwd -> \(.*\)|\1:\2|p"); do
        case $found in
            *:"$data") ;;
            *) continue ;;
        esac
        pid=${found%%:*}
        case $(cat "/proc/$pid/comm" 2>/dev/null) in
            postgres*) ;;
            *) continue ;;
        esac
        if [ "$database_pid" = null ] || [ "$pid" = "$said" ]; then database_pid=$pid; fi
    done
else
    server_pid=$(ps -axo pid=,args= | grep 'skytui[.]lab[.]server' | grep -F "$home/conf/node.toml" |
        { read -r pid rest && echo "$pid" || echo null; })
    if [ -r "$data/postmaster.pid" ]; then
        read -r pid <"$data/postmaster.pid"
        case $(ps -o comm= -p "$pid") in *postgres*) database_pid=$pid ;; esac
    fi
fi
server_runs=true
database_runs=true
if [ "$server_pid" = null ]; then server_runs=false; fi
if [ "$database_pid" = null ]; then database_runs=false; fi

# A standby's checkpoint may lie on an older timeline than the one it has replayed to: the newer one counts.
control_state= control_checkpoint= control_timeline=null recovery_timeline=0
while IFS=: read -r key value; do
    value=${value#"${value%%[! ]*}"}
    case $key in
        'Database cluster state') control_state=$value ;;
        'Latest checkpoint location') control_checkpoint=$value ;;
        "Latest checkpoint's TimeLineID") control_timeline=$value ;;
        "Min recovery ending loc's timeline") recovery_timeline=$value ;;
    esac
done <<EOF
$(LC_ALL=C "$pg_bin/pg_controldata" -D "$data" 2>/dev/null)
EOF

timeline=$control_timeline
if [ "$timeline" != null ] && [ "$recovery_timeline" -gt "$timeline" ]; then timeline=$recovery_timeline; fi

{ read -r _ && read -r _ _ _ blocks _; } <<EOF
$(df -Pk "${data%/*}")
EOF

# A practice host may be given less than the machine has (lab fault small-disk).
disk_free=$((blocks * 1024))
if [ -r "$home/conf/disk_free" ]; then
    read -r limit <"$home/conf/disk_free"
    if [ "$limit" -lt "$disk_free" ]; then disk_free=$limit; fi
fi

autostart= marker=
salvage='{"mark":""}'
if [ -r "$home/salvage/latest.json" ]; then salvage=$(cat "$home/salvage/latest.json"); fi
if [ -r "$home/conf/autostart" ]; then read -r autostart <"$home/conf/autostart"; fi
if [ -r "$home/conf/marker" ]; then marker=$(escaped "$(cat "$home/conf/marker")"); fi

cat <<EOF
{"name":"$name","role":"$role","timeline":$timeline,"autostart":"$autostart",\
"processes":[{"name":"server","pid":$server_pid,"running":$server_runs},\
{"name":"database","pid":$database_pid,"running":$database_runs}],\
"control":{"state":"$control_state","checkpoint":"$control_checkpoint","timeline":$control_timeline},\
"disk_free":$disk_free,"address":"$address","http_port":$http_port,"pg_port":$pg_port,\
"version":"$version","marker":"$marker","salvage":$salvage,"clock":"$(date -u +%Y-%m-%dT%H:%M:%SZ)"}
EOF
