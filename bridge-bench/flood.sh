#!/bin/bash
# flood.sh KIND... - a bridge under what an ordinary user can do to it, beside a client of root's that adds and reads.
#
# KIND is one or more of accept, datagrams, send-buffer, descriptors and traps, one after the other, or all;
# src/main/c/flood.c says what each does. PROCESSES of the user nobody flood; root's client adds, reads and deletes a
# policy a few hundred times a second, through the preload library. Every STEP seconds a line says, of that time,
#
#     second  answers  p50 p99 max  open-p99 open-max (us)  rss heap (MB)  descriptors  socket (KB of the kernel in unix
#     sockets)  states
#
# "open" is opening a socket and its first answer together. At the end: the same times for all of it, and whether
# anything was answered wrongly, or lost, or the bridge's last words. Exit code 1 if so, if 99 % of the answers were not
# below BAR ms, or if the bridge had more than 400 descriptors.
#
#     --seconds N    how long each, default 30      --heap SIZE     of the JVM, default 64m      --bar MS   default 20
#     --step N       default 5                      --processes N   default 2
#
# Needs root, gcc, iproute2 and a build (mvn package). Everything happens in two namespaces and a directory that it
# makes and removes.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/bridge.sh"

SECONDS_EACH=30
STEP=5
HEAP=64m
PROCESSES=2
BAR=20
MOST_DESCRIPTORS=400
KINDS=()
while [ $# -gt 0 ]; do
    case $1 in
        --seconds) SECONDS_EACH=$2; shift ;;
        --step) STEP=$2; shift ;;
        --heap) HEAP=$2; shift ;;
        --bar) BAR=$2; shift ;;
        --processes) PROCESSES=$2; shift ;;
        all) KINDS+=(accept datagrams send-buffer descriptors traps) ;;
        accept | datagrams | send-buffer | descriptors | traps) KINDS+=("$1") ;;
        *) usage ;;
    esac
    shift
done
[ ${#KINDS[@]} -gt 0 ] || usage

HOST=fld$$-h
WIRE=fld$$-w
FLOODS=()

chmod 755 "$TMP"
prepare flood

end_floods() {
    local pid
    for pid in ${FLOODS[@]+"${FLOODS[@]}"}; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    FLOODS=()
}

trap 'end_floods; clean_up' EXIT

start() {
    add_namespace "$HOST"
    add_namespace "$WIRE"
    ip -n "$HOST" link add eth0 type veth peer name eth0 netns "$WIRE" || fail 'no veth'
    ip -n "$HOST" address add 192.0.2.1/24 dev eth0
    ip -n "$WIRE" address add 192.0.2.2/24 dev eth0
    ip -n "$HOST" link set eth0 up
    ip -n "$WIRE" link set eth0 up
    XFRM_BRIDGE_JAVA_OPTIONS="${XFRM_BRIDGE_JAVA_OPTIONS:-} -Xmx$HEAP" start_bridge "$HOST"
}

on_bridge() { ip netns exec "$HOST" "$BRIDGE" exec --dir "$TMP/bridge" -- "$@"; }

# A policy that asks for an SA of each host of 10.9.0.0/16, and a key manager that never answers.
set_trap() {
    ip -n "$HOST" route add 10.9.0.0/16 via 192.0.2.2 || fail 'no route'
    on_bridge ip xfrm policy add dir out src 192.0.2.1 dst 10.9.0.0/16 tmpl proto esp mode transport || fail 'no policy'
    # No function: what is killed must be the program, not a shell around it.
    ip netns exec "$HOST" "$BRIDGE" exec --dir "$TMP/bridge" -- ip xfrm monitor acquire >"$TMP/acquires" 2>&1 &
    FLOODS+=($!)
}

heap_mb() {
    "$(dirname "$(readlink "/proc/$BRIDGE_PID/exe")")/jcmd" "$BRIDGE_PID" GC.heap_info 2>/dev/null |
        awk '{ for (i = 1; i < NF; i++) if ($i == "used" && !done) { done = 1; printf "%.0f", $(i + 1) / 1024 } }'
}

# What is in the queues of unix sockets whose name is in our directory: received and not read, sent and not read.
socket_kb() {
    ip netns exec "$HOST" ss -xamH 2>/dev/null | awk -v of="$TMP/bridge/" '
        index($0, of) { ours = 1 } { if (!index($0, of) && $0 !~ /skmem/) ours = 0 }
        ours && match($0, /skmem:\(r[0-9]+/) { sum += substr($0, RSTART + 8, RLENGTH - 8) }
        ours && match($0, /,t[0-9]+/) { sum += substr($0, RSTART + 2, RLENGTH - 2) }
        END { printf "%.0f", sum / 1024 }'
}

sample() {
    local rss heap descriptors states
    rss=$(awk '/^VmRSS/ { printf "%.0f", $2 / 1024 }' "/proc/$BRIDGE_PID/status")
    states=$(ip netns exec "$HOST" "$BRIDGE" stat --dir "$TMP/bridge" 2>/dev/null | awk '$1 == "states" { print $2 }')
    heap=$(heap_mb)
    descriptors=$(find "/proc/$BRIDGE_PID/fd" -maxdepth 1 -type l 2>/dev/null | wc -l)
    echo "$rss ${heap:--} $descriptors $(socket_kb) ${states:--}"
}

print_row() {
    printf '%-11s %6s %9s %8s %8s %8s %9s %9s %7s %7s %7s %9s %8s\n' "$@"
}

# run KIND: 0 if root's client got what it asked for, in time, and the bridge is well.
run() {
    local kind=$1 client second verdict=0 i answered row
    start
    [ "$kind" != traps ] || set_trap
    print_row "$kind" second answers p50 p99 max open-p99 open-max rss heap descr socket states
    on_bridge "$TMP/flood" client "$SECONDS_EACH" >"$TMP/client" 2>"$TMP/complaints" &
    client=$!
    for ((i = 0; i < PROCESSES; i++)); do
        XFRM_BRIDGE_DIR=$TMP/bridge ip netns exec "$HOST" setpriv --reuid=65534 --regid=65534 --clear-groups \
            "$TMP/flood" "$kind" "$SECONDS_EACH" 10.9.0.0/16 >>"$TMP/floods" 2>&1 &
        FLOODS+=($!)
    done
    for ((second = STEP; second <= SECONDS_EACH; second += STEP)); do
        while kill -0 $client 2>/dev/null && ! grep -qs "^$second " "$TMP/client"; do sleep 0.2; done
        kill -0 "$BRIDGE_PID" 2>/dev/null || break
        answered=$(grep -s "^$second " "$TMP/client") || break
        read -ra row <<<"$answered $(sample)"
        print_row '' "${row[@]}"
        [ "${row[9]}" -le $MOST_DESCRIPTORS ] || { verdict=1; echo '    too many descriptors'; }
    done
    wait $client || verdict=1
    end_floods
    kill -0 "$BRIDGE_PID" 2>/dev/null || { verdict=1; echo "the bridge ended: $(tail -n 3 "$TMP/bridge.log")"; }
    sed 's/^/    /' "$TMP/floods" 2>/dev/null
    head -n 5 "$TMP/complaints" | sed 's/^/    /'
    awk -v kind="$kind" -v bar="$BAR" '
        $1 == "all" {
            printf "    %s: %s answers, p50 %s, p99 %s, max %s us; opened p99 %s, max %s us; %s %s\n",
                kind, $2, $3, $4, $5, $6, $7, $8, $9
            exit $4 >= bar * 1000 || $6 >= bar * 1000
        }' "$TMP/client" || verdict=1
    grep -q '^all ' "$TMP/client" || { verdict=1; echo '    the client did not end well'; }
    [ "$(on_bridge ip xfrm policy list dir in | grep -c .)" = 0 ] || { verdict=1; echo '    policies were left'; }
    stop_bridge
    del_namespaces
    rm -f "$TMP/floods" "$TMP/client" "$TMP/complaints"
    return $verdict
}

failed=0
echo "# $(uname -sr), $(nproc) cores, heap $HEAP, load before: $(cut -d' ' -f1-3 /proc/loadavg)"
for kind in "${KINDS[@]}"; do
    run "$kind" || failed=1
done
[ $failed = 0 ]
