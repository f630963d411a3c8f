#!/bin/bash
# stack.sh - what a bridge in the host's stack costs, beside none and beside a bridge on the wire, in one run.
#
# Unprotected: a host that is no host of the policies, and sends to its neighbour: without a bridge, with one on the
# wire (--attach), and with one in the stack that has 0, 1,000, 10,000 and 100,000 policies (ip -batch; a third each of
# out, in and fwd). They take turns, ROUNDS times; printed are medians and ratios to the host without a bridge:
#
#     tcp        GB/s of one stream of iperf3, SECS seconds
#     s/GB       seconds of processor that both ends of it took for one GB
#     out, in    nanoseconds of processor that a datagram of 64 bytes costs who sends it, with all that the kernel does
#                for it till it is at the other host's socket, and the bridge; where its host sends, and receives
#
# Protected: two hosts with a bridge each, on the wire or in the stack, which take turns: ESP in tunnel mode, alone and
# in UDP, AES-128-GCM. Printed are medians, and ratios of the stack to the wire:
#
#     tcp        GB/s of one stream
#     s/GB       seconds of processor that both bridges took for one GB
#     datagrams  thousands of 64 bytes a second that arrive
#     us         microseconds of processor that both bridges took for one
#     ping       microseconds of a round trip, median of 500, 2 ms apart
#
#     --rounds N   default 5     --secs N   default 2     --unprotected, --protected   only that part
#     --policies "N..."   other numbers of policies
#     --beside PROGRAM    protected: also two bridges of PROGRAM, the xfrm-bridge of another build, on the wire; ratios
#                         are to these
#
# Needs root, gcc, iperf3, jq and a build (mvn package). Everything happens in namespaces and a directory that it makes
# and removes.

# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2317 # rounds are called by name
. "$(dirname "${BASH_SOURCE[0]}")/bridge.sh"

ROUNDS=5
SECS=2
POLICIES='0 1000 10000 100000'
PARTS='unprotected protected'
DATAGRAMS=60000
KEY=0x000102030405060708090a0b0c0d0e0f10111213
PREFIX=st
BESIDE=
declare -A PIDS

while [ $# -gt 0 ]; do
    case $1 in
        --rounds) ROUNDS=$2; shift ;;
        --secs) SECS=$2; shift ;;
        --policies) POLICIES=$2; shift ;;
        --beside) BESIDE=$2; shift ;;
        --unprotected) PARTS=unprotected ;;
        --protected) PARTS=protected ;;
        *) usage ;;
    esac
    shift
done

prepare stack

# All that was started in the background ends with the script.
end_all() {
    [ ${#PIDS[@]} = 0 ] || kill "${PIDS[@]}" 2>/dev/null
    wait 2>/dev/null
    # They outlive their bridges, as is their purpose.
    pkill -f "xfrm-bridge-guard $TMP/"
    PIDS=()
}
trap 'end_all; clean_up' EXIT

# pair NAME: hosts NAMEa 192.0.2.1 and NAMEb 192.0.2.2 on a wire, with a sink and iperf3 each
pair() {
    local side number=1
    for side in a b; do
        add_namespace "st$$$1$side"
    done
    ip link add eth0 netns "st$$$1a" type veth peer eth0 netns "st$$$1b" || fail 'no veth'
    for side in a b; do
        in_ns "$1$side" ip address add "192.0.2.$number/24" dev eth0
        in_ns "$1$side" ip address add "10.$number.0.1/32" dev lo
        in_ns "$1$side" ip address add "10.$number.1.1/32" dev lo
        in_ns "$1$side" ip link set eth0 up
        spawn "sink-$1$side" "$1$side" "$TMP/stack" sink 0.0.0.0 9
        spawn "iperf-$1$side" "$1$side" iperf3 -s
        number=$((number + 1))
    done
    in_ns "$1a" ping -c 1 -W 5 192.0.2.2 >"$TMP/out" || fail 'no connection'
}

# program HOST: whose bridge is there; those of another build are on hosts oa and ob
program() { case $1 in o?) echo "$BESIDE" ;; *) echo "$BRIDGE" ;; esac }

# bridge HOST [--attach eth0]
bridge() {
    spawn "bridge-$1" "$1" "$(program "$1")" run --dir "$TMP/dir-$1" "${@:2}"
    for _ in {1..600}; do
        grep -qs '^ready' "$TMP/bridge-$1.log" && return
        kill -0 "${PIDS[bridge-$1]}" 2>/dev/null || break
        sleep 0.1
    done
    fail "the bridge did not start: $(tail -n 3 "$TMP/bridge-$1.log")"
}

under() { in_ns "$1" "$(program "$1")" exec --dir "$TMP/dir-$1" -- "${@:2}"; }

note() { echo "$1 $2 $3" >>"$TMP/figures"; }    # note WHAT PEER FIGURE

# tcp HOST ADDRESS: gigabytes a second, and seconds of processor that both ends took for one
tcp() {
    in_ns "$1" iperf3 -J -t "$SECS" -c "$2" | jq -r '.end | (.sum_received.bits_per_second / 8e9) as $rate
        | "\($rate) \((.cpu_utilization_percent | .host_total + .remote_total) / 100 / $rate)"'
}

policies() {    # policies FROM TO: lines for ip -batch
    local i way
    for ((i = $1; i < $2; i++)); do
        way="10.99.0.0/16 dst 10.$((100 + (i >> 16))).$((i >> 8 & 255)).$((i & 255))/32 dir out tmpl src 192.0.2.1 dst"
        case $((i % 3)) in
            0) echo "xfrm policy add src $way 203.0.113.1 proto esp mode tunnel" ;;
            1 | 2)
                way="10.$((100 + (i >> 16))).$((i >> 8 & 255)).$((i & 255))/32 dst 10.99.0.0/16 dir"
                way+=" $([ $((i % 3)) = 1 ] && echo in || echo fwd)"
                echo "xfrm policy add src $way tmpl src 203.0.113.1 dst 192.0.2.1 proto esp mode tunnel"
                ;;
        esac
    done
}

unprotected_round() {    # unprotected_round LABEL PEER
    local got
    read -r -a got <<<"$(tcp "$2a" 192.0.2.2)"
    note tcp "$1" "${got[0]}"
    note s/GB "$1" "${got[1]}"
    note out "$1" "$(cost "$2a" "$2a" 192.0.2.2)"
    note in "$1" "$(cost "$2a" "$2b" 192.0.2.1)"
}

cost() {    # cost BRIDGE HOST ADDRESS: nanoseconds for a datagram
    local before=0 after=0 sent
    local bridge=${PIDS[bridge-$1]:-}
    [ -z "$bridge" ] || before=$(ticks "$bridge")
    sent=$(in_ns "$2" "$TMP/stack" send "$3" 9 64 "$DATAGRAMS" | cut -d' ' -f2)
    [ -z "$bridge" ] || after=$(ticks "$bridge")
    jq -n "$sent + ($after - $before) / $(getconf CLK_TCK) / $DATAGRAMS * 1e9 | round"
}

# medians WHAT...: of all that was noted, and ratios to the peer that was noted first
medians() {
    local what peer first
    cut -d' ' -f2 "$TMP/figures" | awk '!seen[$0]++' | while read -r peer; do
        printf '%-12s' "$peer"
        for what in "$@"; do
            first=$(median "$what" "$(awk 'NR == 1 { print $2 }' "$TMP/figures")")
            printf '  %s %8.3f x%5.3f' "$what" "$(median "$what" "$peer")" \
                "$(jq -n "$(median "$what" "$peer") / $first")"
        done
        echo
    done
}

median() {
    awk -v what="$1" -v peer="$2" '$1 == what && $2 == peer { print $3 }' "$TMP/figures" | sort -g |
        awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

unprotected() {
    local count before=0 round
    pair n
    pair w
    pair s
    bridge wa --attach eth0
    bridge sa
    for count in $POLICIES; do
        policies "$before" "$count" >"$TMP/policies"
        before=$count
        under sa ip -batch "$TMP/policies" || fail 'policies were refused'
        sleep 1
        rm -f "$TMP/figures"
        for ((round = 0; round < ROUNDS; round++)); do
            unprotected_round none n
            unprotected_round stack s
            unprotected_round wire w
        done
        echo "unprotected, $count policies in the stack, 0 on the wire"
        medians tcp s/GB out in
    done
    end_all
    del_namespaces
}

# States of two tunnels: 10.N.0.0/24 as ESP, 10.N.1.0/24 as ESP in UDP
protect() {    # protect HOST
    local net from to encap dir
    for net in 0 1; do
        encap=
        [ "$net" = 0 ] || encap='encap espinudp 4500 4500 0.0.0.0'
        for from in 1 2; do
            to=$((3 - from))
            echo "xfrm state add src 192.0.2.$from dst 192.0.2.$to proto esp spi 0x10$from$net reqid 1$net" \
                "mode tunnel aead rfc4106(gcm(aes)) $KEY 128 $encap"
            for dir in out in; do
                [ "$dir$from" = "$([ "${1: -1}" = a ] && echo out1 || echo out2)" ] ||
                    [ "$dir$from" = "$([ "${1: -1}" = a ] && echo in2 || echo in1)" ] || continue
                echo "xfrm policy add src 10.$from.$net.0/24 dst 10.$to.$net.0/24 dir $dir" \
                    "tmpl src 192.0.2.$from dst 192.0.2.$to proto esp reqid 1$net mode tunnel"
            done
        done
    done >"$TMP/protect"
    under "$1" ip -batch "$TMP/protect" || fail 'States were refused'
}

protected_pair() {    # protected_pair NAME [--attach eth0]
    local side
    pair "$1"
    for side in a b; do
        bridge "$1$side" "${@:2}"
        protect "$1$side"
        spawn "encap-$1$side" "$1$side" "$(program "$1$side")" exec --dir "$TMP/dir-$1$side" -- \
            "$TMP/stack" encap 4500
    done
    # Whatever device the address of the host is on.
    in_ns "$1a" ip route add 10.2.0.0/16 via 192.0.2.2 src 10.1.0.1
    in_ns "$1b" ip route add 10.1.0.0/16 via 192.0.2.1 src 10.2.0.1
    in_ns "$1a" ip route add 10.2.1.0/24 via 192.0.2.2 src 10.1.1.1
    in_ns "$1b" ip route add 10.1.1.0/24 via 192.0.2.1 src 10.2.1.1
    for side in 0 1; do
        in_ns "$1a" ping -c 5 -i 0.2 -W 5 "10.2.$side.1" >"$TMP/out" || fail "$1: nothing comes back from 10.2.$side.1"
    done
}

ticks() {    # ticks PID...: of processor time
    local pid sum=0 fields
    for pid in "$@"; do
        read -r fields <"/proc/$pid/stat"
        read -r -a fields <<<"${fields##*) }"
        sum=$((sum + fields[11] + fields[12]))
    done
    echo $sum
}

protected_round() {    # protected_round LABEL PEER NET
    local before got pids=("${PIDS[bridge-$2a]}" "${PIDS[bridge-$2b]}") sink=${PIDS[sink-$2b]} log=$TMP/sink-$2b.log
    before=$(ticks "${pids[@]}")
    got=$(tcp "$2a" "10.2.$3.1" | cut -d' ' -f1)
    note tcp "$1" "$got"
    note s/GB "$1" "$(jq -n "($(ticks "${pids[@]}") - $before) / $(getconf CLK_TCK) / ($got * $SECS)")"
    kill -USR1 "$sink"
    before=$(ticks "${pids[@]}")
    in_ns "$2a" "$TMP/stack" send "10.2.$3.1" 9 64 1000000000 "$SECS" >"$TMP/out"
    sleep 0.2
    kill -USR1 "$sink"
    sleep 0.1
    got=$(tail -n 1 "$log")
    note datagrams "$1" "$(jq -n "$got / $SECS / 1000")"
    note us "$1" "$(jq -n "($(ticks "${pids[@]}") - $before) * 1000000 / $(getconf CLK_TCK) / ([$got, 1] | max)")"
    in_ns "$2a" ping -n -c 500 -i 0.002 -W 1 "10.2.$3.1" | sed -n 's/.*time=\([0-9.]*\) ms/\1/p' >"$TMP/pings"
    note ping "$1" "$(sort -g "$TMP/pings" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] * 1000 }')"
}

protected() {
    local net round
    [ -z "$BESIDE" ] || protected_pair o --attach eth0
    protected_pair w --attach eth0
    protected_pair s
    for net in 0 1; do
        # Some for the compiler.
        for ((round = -2; round < ROUNDS; round++)); do
            [ $round != 0 ] || rm -f "$TMP/figures"
            [ -z "$BESIDE" ] || protected_round beside o $net
            protected_round wire w $net
            protected_round stack s $net
        done
        [ $net = 0 ] && echo 'protected, ESP' || echo 'protected, ESP in UDP'
        medians tcp s/GB datagrams us ping
    done
}

echo "# $(uname -sr), $(nproc) cores, load before: $(cut -d' ' -f1-3 /proc/loadavg)"
for part in $PARTS; do
    $part
done
