#!/bin/bash
# messages.sh - how fast xfrm-bridge takes NETLINK_XFRM requests, beside the kernel of this machine, in one run.
#
# src/main/c/messages.c sends the requests: to the kernel, in a network namespace of its own, and through the preload
# library to a bridge in another one. The two take turns, ROUNDS times, and what is printed is the median of each, in
# thousands of operations per second, the ratio bridge/kernel, and the bridge's first round, when the program was just
# started and nothing was compiled.
#
#     entries                       requests
#     exact        100,000          64 to a send, without acknowledgements; the same with; one to a send, with (20,000
#                                   entries)
#     overlapping  100,000          add: prefixed policies over 256 /24s, told apart by port
#     prefixed     16,000           update and delete: policies from any address to a /24 each
#     larval       16,000           ALLOCSPI
#
# and then, of the bridge alone, in seconds: a million exact policies, a million of random prefixes on both sides and a
# million SAs, added, dumped and flushed. A kernel without ESP takes no SAs, and one with a million random prefixes
# would take an hour.
#
#     --rounds N   default 11     --million   only the last part       --no-million   only the first
#     --warm       the bridge has warmed up (run --warm-up)
#
# Needs root, gcc and a build (mvn package). Everything happens in two namespaces and a directory that it makes and
# removes.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/bridge.sh"

ROUNDS=11
COMPARE=yes
MILLION=yes
WARM=no
while [ $# -gt 0 ]; do
    case $1 in
        --rounds) ROUNDS=$2; shift ;;
        --million) COMPARE=no ;;
        --no-million) MILLION=no ;;
        --warm) WARM=yes ;;
        *) usage ;;
    esac
    shift
done

KERNEL_NS=msg$$-k
BRIDGE_NS=msg$$-b

prepare messages

start() {
    add_namespace "$KERNEL_NS"
    add_namespace "$BRIDGE_NS"
    ip -n "$BRIDGE_NS" link add eth0 type veth peer name wire || fail 'no veth'
    ip -n "$BRIDGE_NS" address add 192.0.2.1/24 dev eth0
    ip -n "$BRIDGE_NS" link set eth0 up
    ip -n "$BRIDGE_NS" link set wire up
    if [ $WARM = yes ]; then
        start_bridge "$BRIDGE_NS" --warm-up
        await_warmup
    else
        start_bridge "$BRIDGE_NS"
    fi
}

# It is a thread of that name.
await_warmup() {
    while grep -qsx warmup "/proc/$BRIDGE_PID"/task/*/comm; do
        sleep 0.1
    done
}

on_kernel() { ip netns exec "$KERNEL_NS" "$TMP/messages" "$@"; }
on_bridge() { ip netns exec "$BRIDGE_NS" "$BRIDGE" exec --dir "$TMP/bridge" -- "$TMP/messages" "$@"; }

# compare NAME KIND COUNT BATCH quiet|ack VERB...: appends "NAME VERB PEER RATE" lines to $TMP/rates.
# What is not asked for with "=VERB" is done but not noted.
compare() {
    local name=$1 kind=$2 count=$3 batch=$4 answers=$5 round peer
    shift 5
    for ((round = 0; round < ROUNDS; round++)); do
        for peer in kernel bridge; do
            "on_$peer" "$kind" "$count" "$batch" "$answers" "${@#=}" >"$TMP/out" || fail "$peer: $name failed"
            awk -v name="$name" -v peer=$peer -v noted=" $* " '
                noted !~ "=" || noted ~ ("=" $1 " ") { print name "\t" $1 "\t" peer "\t" $3 }' "$TMP/out" >>"$TMP/rates"
        done
    done
}

print_rates() {
    printf '%-34s %-7s %10s %10s %7s %12s %12s\n' \
        'thousands per second' '' kernel bridge ratio 'first round' 'last round'
    awk -F'\t' '
        { key = $1 FS $2; if (!(key in seen)) { seen[key]; order[++keys] = key }
          n = ++count[key, $3]; rate[key, $3, n] = $4 / 1000 }
        function median(key, peer,   n, i, j, t, v) {
            n = count[key, peer]
            for (i = 1; i <= n; i++) v[i] = rate[key, peer, i]
            for (i = 2; i <= n; i++)
                for (j = i; j > 1 && v[j] < v[j - 1]; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t }
            return v[int((n + 1) / 2)]
        }
        END { for (k = 1; k <= keys; k++) {
            key = order[k]; split(key, part, FS); kernel = median(key, "kernel"); bridge = median(key, "bridge")
            printf "%-34s %-7s %10.1f %10.1f %7.2f %12.1f %12.1f\n", part[1], part[2], kernel, bridge,
                bridge / kernel, rate[key, "bridge", 1], rate[key, "bridge", count[key, "bridge"]] } }' "$TMP/rates"
}

print_million() {
    local kind
    printf '\n%-34s %9s %9s %9s\n' 'a million, seconds' add dump flush
    for kind in exact random states; do
        on_bridge $kind 1000000 64 quiet add dump flush >"$TMP/out" || fail "a million $kind failed"
        awk -v name=$kind '
            { t[$1] = $2 }
            END { printf "%-34s %9.2f %9.2f %9.2f\n", name, t["add"], t["dump"], t["flush"] }' "$TMP/out"
    done
}

start
echo "# $(uname -sr), $(nproc) cores, load before: $(cut -d' ' -f1-3 /proc/loadavg)"
if [ $COMPARE = yes ]; then
    compare 'exact, 64 to a send, no ACK' exact 100000 64 quiet add dump get update delete
    compare 'exact, 64 to a send, ACK' exact 100000 64 ack add get update delete
    compare 'exact, one to a send, ACK' exact 20000 1 ack add get update delete
    compare 'overlapping, 64 to a send' overlapping 100000 64 quiet add
    compare 'prefixed, 64 to a send' prefixed 16000 64 quiet add =update =delete
    compare 'ALLOCSPI, 64 to a send' larval 16000 64 quiet add
    print_rates
fi
[ $MILLION = no ] || print_million
