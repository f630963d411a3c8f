#!/bin/bash
# first-packet.sh - how soon a bridge that was just started is ready and carries packets, and what it takes for it.
#
# Two hosts, namespaces on one wire, with a tunnel between them: AES-128-GCM, two SAs with keys set by hand. On one of
# them a bridge is started again and again; the SAs are installed as soon as it says "ready", and packets sent at once.
# The other has a bridge that runs all the time. For each attachment (stack, wire), with the JVM's cache and without:
#
#     ready      milliseconds from the start of the launcher to "ready"
#     cpu        seconds of processor until then, and when ten pings are through
#     ping       milliseconds that the first ping takes, and the tenth, one every 0.2 s: of STARTS starts
#     stream     Gbit/s of the first second of a stream of TCP, and of the tenth, 10 s: of STREAMS other starts
#     resident   MB at "ready", after the pings, and after the stream
#
# Printed are medians, and the worst of each behind a slash. Then, in the stack and with the cache, what is resident
# with 1,000 and 100,000 SAs more. With --limit, two more hosts whose bridge and strongSwan are in a control group of
# that many MB, and how much of it they took when a tunnel is up and a stream has gone through.
#
#     --starts N      default 10              --streams N       default 3
#     --load N        beside N processes that never wait
#     --limit MB      also the control group  --limit-only MB   nothing else
#     --stack, --wire, --cached, --uncached   only these        --no-states   without the 1,000 and 100,000
#
# Needs root, iperf3, jq and a build, of which it makes the cache if there is none; --limit charon-systemd and swanctl.
# Everything happens in namespaces, control groups and a directory that it makes and removes.

# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2317 # called by name
. "$(dirname "${BASH_SOURCE[0]}")/bridge.sh"

STARTS=10
STREAMS=3
LOAD=0
LIMIT=
ATTACHMENTS='stack wire'
CACHES='cached uncached'
STATES='1000 100000'
KEY=0x000102030405060708090a0b0c0d0e0f10111213
PREFIX=fp
declare -A PIDS

while [ $# -gt 0 ]; do
    case $1 in
        --starts) STARTS=$2; shift ;;
        --streams) STREAMS=$2; shift ;;
        --load) LOAD=$2; shift ;;
        --limit) LIMIT=$2; shift ;;
        --limit-only) LIMIT=$2; ATTACHMENTS=; STATES=; shift ;;
        --stack | --wire) ATTACHMENTS=${1#--} ;;
        --cached | --uncached) CACHES=${1#--} ;;
        --no-states) STATES= ;;
        *) usage ;;
    esac
    shift
done

[ "$(id -u)" = 0 ] || fail 'needs root'
[ "$BRIDGE" != "$HERE/../xfrm-bridge" ] || "$HERE/../packaging/make-cache" || fail 'there is no cache for the JVM'

end_all() {
    [ ${#PIDS[@]} = 0 ] || kill "${PIDS[@]}" 2>/dev/null
    wait 2>/dev/null
    PIDS=()
}

leave() {
    trap - EXIT
    local directory
    end_all
    for directory in "$TMP"/dir-*/; do
        [ ! -d "$directory" ] || in_ns "$(basename "$directory" | sed 's/^dir-//')" "$BRIDGE" detach --dir "$directory"
    done >/dev/null 2>&1
    [ -z "${GROUP:-}" ] || rmdir "$GROUP" 2>/dev/null
    clean_up
}
trap leave EXIT

# pair: hosts a 192.0.2.1 and b 192.0.2.2, with 10.1.0.1 and 10.2.0.1 behind them
pair() {
    local side number=1
    for side in a b; do
        add_namespace "fp$$$side"
    done
    ip link add eth0 netns "fp$$a" type veth peer eth0 netns "fp$$b" || fail 'no veth'
    for side in a b; do
        in_ns $side ip address add "192.0.2.$number/24" dev eth0
        in_ns $side ip address add "10.$number.0.1/32" dev lo
        in_ns $side ip link set eth0 up
        in_ns $side ip route add "10.$((3 - number)).0.0/16" via "192.0.2.$((3 - number))" src "10.$number.0.1"
        number=$((number + 1))
    done
}

# launch HOST OPTION...: returns once it says "ready"; sets READY_MS
launch() {
    local host=$1 began line
    shift
    [ -p "$TMP/ready" ] || mkfifo "$TMP/ready"
    exec 3<>"$TMP/ready"
    began=${EPOCHREALTIME/./}
    ip netns exec "fp$$$host" "$BRIDGE" run --dir "$TMP/dir-$host" "$@" >"$TMP/ready" 2>"$TMP/bridge-$host.log" &
    PIDS[bridge-$host]=$!
    read -r -t 120 line <&3
    READY_MS=$(((${EPOCHREALTIME/./} - began) / 1000))
    exec 3<&-
    [ "$line" = ready ] || fail "the bridge did not start: $(tail -n 3 "$TMP/bridge-$host.log")"
}

end() {    # end HOST: in order, with nothing left
    under "$1" ip xfrm policy flush || fail 'policies were not flushed'
    kill "${PIDS[bridge-$1]}"
    wait "${PIDS[bridge-$1]}" || fail "the bridge ended badly: $(tail -n 3 "$TMP/bridge-$1.log")"
    unset "PIDS[bridge-$1]"
}

under() { in_ns "$1" "$BRIDGE" exec --dir "$TMP/dir-$1" -- "${@:2}"; }

protect() {    # protect HOST OWN PEER
    local from to
    for from in 1 2; do
        to=$((3 - from))
        echo "xfrm state add src 192.0.2.$from dst 192.0.2.$to proto esp spi 0x100$from reqid 1 mode tunnel" \
            "aead rfc4106(gcm(aes)) $KEY 128"
    done >"$TMP/protect"
    echo "xfrm policy add src 10.$2.0.0/16 dst 10.$3.0.0/16 dir out" \
        "tmpl src 192.0.2.$2 dst 192.0.2.$3 proto esp reqid 1 mode tunnel" >>"$TMP/protect"
    echo "xfrm policy add src 10.$3.0.0/16 dst 10.$2.0.0/16 dir in" \
        "tmpl src 192.0.2.$3 dst 192.0.2.$2 proto esp reqid 1 mode tunnel" >>"$TMP/protect"
    under "$1" ip -batch "$TMP/protect" || fail 'SAs were refused'
}

note() { echo "$1 $2" >>"$TMP/figures"; }    # note WHAT FIGURE

note_cpu() {    # note_cpu WHAT PID: seconds
    local fields
    read -r fields <"/proc/$2/stat"
    read -r -a fields <<<"${fields##*) }"
    note "$1" "$(jq -n "(${fields[11]} + ${fields[12]}) / $(getconf CLK_TCK)")"
}

note_resident() { note "$1" "$(awk '$1 == "VmRSS:" { print $2 / 1024 }' "/proc/$2/status")"; }

begin() {    # begin CACHED|UNCACHED OPTION...: a fresh bridge on a, with its SAs
    local options=()
    # An option of the JVM about caches takes the place of the launcher's.
    [ "$1" = cached ] || options=(env "XFRM_BRIDGE_JAVA_OPTIONS=-Xshare:auto ${XFRM_BRIDGE_JAVA_OPTIONS:-}")
    local BRIDGE_ALONE=$BRIDGE
    BRIDGE=$TMP/launcher
    printf '#!/bin/sh\nexec %s "$@"\n' "$(printf '%q ' "${options[@]}" "$BRIDGE_ALONE")" >"$BRIDGE"
    chmod +x "$BRIDGE"
    launch a "${@:2}"
    BRIDGE=$BRIDGE_ALONE
    note ready "$READY_MS"
    protect a 1 2
}

pings() {    # pings CACHE OPTION...
    local pid
    begin "$@"
    pid=${PIDS[bridge-a]}
    note_cpu cpu-ready "$pid"
    note_resident resident-ready "$pid"
    in_ns a ping -c 10 -i 0.2 -W 10 10.2.0.1 >"$TMP/pings"
    note ping1 "$(sed -n 's/.*icmp_seq=1 .*time=\([0-9.]*\) ms/\1/p' "$TMP/pings")"
    note ping10 "$(sed -n 's/.*icmp_seq=10 .*time=\([0-9.]*\) ms/\1/p' "$TMP/pings")"
    note_cpu cpu-pings "$pid"
    note_resident resident-pings "$pid"
    end a
}

stream() {    # stream CACHE OPTION...
    begin "$@"
    in_ns a iperf3 -J -t 10 -i 1 -c 10.2.0.1 >"$TMP/stream" || fail 'no stream'
    note stream1 "$(jq '.intervals[0].sum.bits_per_second / 1e9' "$TMP/stream")"
    note stream10 "$(jq '.intervals[9].sum.bits_per_second / 1e9' "$TMP/stream")"
    note_resident resident-stream "${PIDS[bridge-a]}"
    end a
}

# of WHAT: median/worst
of() {
    awk -v what="$1" '$1 == what && NF == 2 { print $2 }' "$TMP/figures" | sort -g | awk -v what="$1" '
        { v[NR] = $1 }
        END { if (NR) printf "%.4g/%.4g", v[int((NR + 1) / 2)], what ~ /^stream/ ? v[1] : v[NR]; else printf "-" }'
}

measure() {    # measure ATTACHMENT CACHE
    local options=() i
    [ "$1" = stack ] || options=(--attach eth0)
    : >"$TMP/figures"
    for ((i = 0; i < STARTS; i++)); do
        pings "$2" "${options[@]}"
    done
    for ((i = 0; i < STREAMS; i++)); do
        stream "$2" "${options[@]}"
    done
    printf '%-6s %-9s ready %s ms  cpu %s, %s s  ping %s, %s ms  stream %s, %s Gbit/s  resident %s, %s, %s MB\n' \
        "$1" "$2" "$(of ready)" "$(of cpu-ready)" "$(of cpu-pings)" "$(of ping1)" "$(of ping10)" \
        "$(of stream1)" "$(of stream10)" "$(of resident-ready)" "$(of resident-pings)" "$(of resident-stream)"
}

states() {    # states COUNT
    local i
    : >"$TMP/figures"
    begin cached
    for ((i = 0; i < $1; i++)); do
        echo "xfrm state add src 192.0.2.1 dst 198.18.$((i >> 8 & 255)).$((i & 255)) proto esp spi $((0x10000 + i))" \
            "reqid 2 mode tunnel aead rfc4106(gcm(aes)) $KEY 128"
    done >"$TMP/states"
    under a ip -batch "$TMP/states" || fail 'SAs were refused'
    in_ns a ping -c 3 -i 0.2 -W 10 10.2.0.1 >"$TMP/pings"
    note_resident resident "${PIDS[bridge-a]}"
    printf '%s SAs more: resident %s MB\n' "$1" "$(of resident)"
    end a
}

# A group of the first hierarchy that knows memory, whichever version of control groups that is.
make_group() {
    local hierarchy
    for hierarchy in /sys/fs/cgroup/memory /sys/fs/cgroup/unified /sys/fs/cgroup; do
        GROUP=$hierarchy/first-packet.$$
        if mkdir "$GROUP" 2>/dev/null; then
            if echo $((LIMIT << 20)) >"$GROUP/memory.limit_in_bytes" ||
                echo $((LIMIT << 20)) >"$GROUP/memory.max"; then
                return
            fi 2>/dev/null
            rmdir "$GROUP"
        fi
    done
    GROUP=
    fail 'no control group can be made that limits memory'
}

charon() {    # charon HOST OWN PEER COMMAND...: strongSwan under the bridge of that host, started by COMMAND
    local dir=$TMP/charon-$1
    mkdir -p "$dir"
    cat >"$dir/strongswan.conf" <<CONF
charon-systemd {
    install_routes = no
    plugins {
        include /etc/strongswan.d/charon/*.conf
        vici {
            socket = unix://$dir/vici
        }
    }
}
CONF
    cat >"$dir/swanctl.conf" <<CONF
connections {
    peer {
        version = 2
        local_addrs = 192.0.2.$2
        remote_addrs = 192.0.2.$3
        local {
            auth = psk
            id = 192.0.2.$2
        }
        remote {
            auth = psk
            id = 192.0.2.$3
        }
        children {
            tunnel {
                esp_proposals = aes128gcm16
                local_ts = 10.$2.0.0/16
                remote_ts = 10.$3.0.0/16
            }
        }
    }
}
secrets {
    ike-peer {
        secret = "only for measuring"
    }
}
CONF
    spawn "charon-$1" "$1" "${@:4}" env STRONGSWAN_CONF="$dir/strongswan.conf" \
        "$BRIDGE" exec --dir "$TMP/dir-$1" -- charon-systemd
    for _ in {1..100}; do
        [ ! -S "$dir/vici" ] || break
        sleep 0.1
    done
    in_ns "$1" swanctl --load-all --noprompt --uri "unix://$dir/vici" --file "$dir/swanctl.conf" >"$TMP/out" 2>&1 ||
        fail "strongSwan: $(tail -n 3 "$TMP/out" "$TMP/charon-$1.log")"
}

limited() {
    local most current
    make_group
    : >"$TMP/figures"
    # The launcher and all that it starts are in the group; so is charon. Behind "ip netns exec" its file is not seen,
    # but who has it open can write there that he comes (0).
    exec 7>"$GROUP/cgroup.procs"
    # shellcheck disable=SC2016 # in there
    local into=(sh -c 'echo 0 >&7 && exec "$@" 7>&-' into)
    local BRIDGE_ALONE=$BRIDGE
    BRIDGE=$TMP/launcher
    printf '#!/bin/sh\nexec %s "$@"\n' "$(printf '%q ' "${into[@]}" "$BRIDGE_ALONE")" >"$BRIDGE"
    chmod +x "$BRIDGE"
    launch a
    BRIDGE=$BRIDGE_ALONE
    charon b 2 1
    charon a 1 2 "${into[@]}"
    exec 7>&-
    in_ns a swanctl --initiate --child tunnel --timeout 20 --uri "unix://$TMP/charon-a/vici" >"$TMP/out" 2>&1 ||
        fail "no tunnel: $(tail -n 3 "$TMP/out")"
    in_ns a ping -c 10 -i 0.2 -W 10 10.2.0.1 >"$TMP/pings" || fail 'no ping came back'
    in_ns a iperf3 -J -t 10 -i 1 -c 10.2.0.1 >"$TMP/stream" || fail 'no stream'
    in_ns a iperf3 -J -t 10 -i 1 -R -c 10.2.0.1 >"$TMP/back" || fail 'no stream back'
    [ -d "/proc/${PIDS[bridge-a]}" ] || fail 'the bridge was killed'
    most=$(cat "$GROUP/memory.max_usage_in_bytes" "$GROUP/memory.peak" 2>/dev/null | head -n 1)
    [ "$most" -gt 0 ] || fail 'nobody was in the control group'
    current=$(awk '$1 == "rss" || $1 == "anon" { print $2; exit }' "$GROUP/memory.stat")
    printf 'a group of %s MB carries a tunnel of strongSwan: %s and %s Gbit/s, %s MB at most with files, %s without\n' \
        "$LIMIT" "$(jq '.end.sum_received.bits_per_second / 1e9 * 100 | round / 100' "$TMP/stream")" \
        "$(jq '.end.sum_received.bits_per_second / 1e9 * 100 | round / 100' "$TMP/back")" \
        "$((most >> 20))" "$((current >> 20))"
    kill "${PIDS[charon-a]}" "${PIDS[charon-b]}"
    wait "${PIDS[charon-a]}" "${PIDS[charon-b]}"
    unset "PIDS[charon-a]" "PIDS[charon-b]"
    end a
    rmdir "$GROUP"
    GROUP=
}

pair
launch b
spawn iperf b iperf3 -s
if [ -n "$ATTACHMENTS$STATES" ]; then
    protect b 2 1
    # One start for the other side's compiler, which nobody measures.
    : >"$TMP/figures"
    stream cached
fi
for ((i = 0; i < LOAD; i++)); do
    while :; do :; done &
    PIDS[load-$i]=$!
done
echo "# $(uname -sr), $(nproc) cores, load before: $(cut -d' ' -f1-3 /proc/loadavg), $LOAD processes beside"
for attachment in $ATTACHMENTS; do
    for cache in $CACHES; do
        measure "$attachment" "$cache"
    done
done
for count in $STATES; do
    states "$count"
done
if [ -n "$LIMIT" ]; then
    if [ -n "$ATTACHMENTS$STATES" ]; then
        under b ip xfrm policy flush
        under b ip xfrm state flush
    fi
    limited
fi
