#!/bin/bash
# throughput.sh - throughput of xfrm-bridge beside its peers, on one machine, in one run.
#
# Builds two network namespaces joined by one veth pair (MTU 1500)
#
#     tp<pid>-a  192.0.2.1  ==== veth ====  192.0.2.2  tp<pid>-b
#
# and measures, between them, REPS times with the peers interleaved:
#
#     veth           no VPN, veth offloads on (64 KB GSO super-frames)
#     veth-nogso     no VPN, TSO/GSO/GRO off on the veth: TCP in 1500 B packets
#     wireguard-go   WireGuard in user space, on both ends
#     ss-<alg>[-<plugin>]
#                    strongSwan charon + kernel-libipsec on both ends (IKEv2
#                    PSK, user-space ESP-in-UDP over a TUN device); <alg> is
#                    the ESP proposal, <plugin> the strongSwan plugin that
#                    supplies the cipher (default: the first of
#                    $SS_PREFER that offers it)
#
#     xb-<alg>[-udp] xfrm-bridge attached to the veth on both ends (XB_ATTACH=stack:
#                    in the stacks of the hosts, without --attach) and
#                    an unmodified charon (kernel-netlink) under "exec": ESP over
#                    IP, or with forced UDP encapsulation
#
# For each it prints one line per repetition
#
#     peer=<name> tcp_ab_gbps=.. tcp_ba_gbps=.. udp64_pps=.. rtt_us_p50=.. cpu=..
#
# and, at the end, medians with (min-max).  Fields:
#
#     tcp_ab/ba_gbps  iperf3, one TCP stream, goodput seen by the receiver
#     udp64_pps       iperf3 -u -b 0 -l 64: datagrams/s that reached the receiver
#     udp64_tx_pps    what the sender pushed in meanwhile (rest was dropped)
#     rtt_us_p50      median of PINGS echo requests, one every 2 ms
#     cpu             user+sys seconds of the two VPN daemons per GB (1e9 B) of
#                     TCP goodput, both directions together; "-" with no VPN
#     cpu_all         busy seconds of the whole machine per GB (incl. iperf3)
#     bg              cores kept busy during the tests by processes that are
#                     not ours (plus soft interrupts taken while idle)
#     steal           cores stolen by the hypervisor during the tests
#
# Both ends, iperf3 client and server share this machine's cores.
# No packet leaves the two namespaces.  Needs root.
#
# Environment: REPS=3 SECS=5 PINGS=200 CC=cubic PEERS="..."
#              SS_DAEMON=/path/to/charon-systemd WG_GO=/path/to/wireguard-go
#              SS_PREFER="aesni openssl chapoly gcm" LOGDIR=dir (keep daemon logs there)
#              QUIET=60   seconds to wait for other work to go away before each
#              NOISE=0.25 a run with more foreign cores than this is repeated,
#                         up to twice, and the quietest of the three counts

set -u -o pipefail
export LC_ALL=C

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
REPS=${REPS:-3}
SECS=${SECS:-5}
PINGS=${PINGS:-200}
CC=${CC:-cubic}
QUIET=${QUIET:-60}
NOISE=${NOISE:-0.25}
PEERS=${PEERS:-"veth-nogso ss-aes128gcm16 xb-aes128gcm16 xb-aes128gcm16-udp"}
BRIDGE=${BRIDGE:-$HERE/../xfrm-bridge}
XB_ATTACH=${XB_ATTACH:-wire}
WG_GO=${WG_GO:-$(command -v wireguard-go)}
SS_DAEMON=${SS_DAEMON:-/usr/sbin/charon-systemd}
SS_PREFER=${SS_PREFER:-"aesni openssl chapoly gcm"}

NSA=tp$$-a  NSB=tp$$-b
OUT_A=192.0.2.1  OUT_B=192.0.2.2            # veth (outer) addresses
IN_A=198.18.0.1  IN_B=198.18.0.2            # tunnel (inner) addresses
TMP=$(mktemp -d /tmp/throughput.XXXXXX) || exit 1
PIDS=()        # every process this script starts in the background
NETNS=()       # every namespace this script creates
VPN_PIDS=()    # the VPN daemons of the current peer

log()  { echo "# $*" >&2; }
fail() { log "$*"; return 1; }

# The polling helpers below fork nothing: on a busy machine with few pids that proved fragile.
mkfifo "$TMP/nap" && exec {NAP}<>"$TMP/nap" || exit 1
nap() { read -rt "$1" -u "$NAP"; return 0; }

stat_of() {                 # STAT: /proc/PID/stat from the state field on
    local f                 # [0] state [1] ppid [6] flags [11..14] u s cu cs ticks
    { read -r f <"/proc/$1/stat"; } 2>/dev/null && read -ra STAT <<<"${f##*) }"
}

# ---------------------------------------------------------------- clean-up --

running() { stat_of "$1" && [[ ${STAT[1]} == "$$" && ${STAT[0]} != Z ]]; }   # our live child

stop_pids() {               # TERM, wait up to 3 s, KILL; never a pid not our child
    local p
    for p in "$@"; do running "$p" && kill -TERM "$p"; done
    for p in "$@"; do
        for _ in {1..30}; do running "$p" || break; nap 0.1; done
        running "$p" && kill -KILL "$p"
        wait "$p" 2>/dev/null
    done
}

teardown() {
    local n
    ((${#PIDS[@]})) && stop_pids "${PIDS[@]}"
    PIDS=() VPN_PIDS=()
    for n in "${NETNS[@]}"; do ip netns del "$n" 2>/dev/null; done
    NETNS=()
}

save_logs() {
    [[ -n ${LOGDIR:-} ]] || return 0
    mkdir -p "$LOGDIR/$1" && cp "$TMP"/*.log "$TMP"/*.conf "$TMP"/*.json "$LOGDIR/$1/" 2>/dev/null
}

trap 'teardown; rm -rf "$TMP"' EXIT
trap 'exit 130' INT TERM HUP

# spawn NETNS LOGFILE CMD...   run in the background, remember the pid in SPAWNED
# (ip-netns-exec execs the command, so $! is the command itself)
spawn() {
    local ns=$1 out=$2; shift 2
    ip netns exec "$ns" "$@" >"$out" 2>&1 </dev/null &
    SPAWNED=$!
    PIDS+=("$SPAWNED")
}

in_a() { ip netns exec "$NSA" "$@"; }
in_b() { ip netns exec "$NSB" "$@"; }

wait_for() {                # wait_for SECONDS CMD...: poll until CMD succeeds
    local end=$((SECONDS + $1)); shift
    until "$@" >/dev/null 2>&1; do ((SECONDS < end)) || return 1; nap 0.1; done
}

# ---------------------------------------------------------------- topology --

make_netns() {              # outer network: two namespaces, one veth pair
    local n
    for n in "$NSA" "$NSB"; do
        ip netns add "$n" || return 1
        NETNS+=("$n")
        ip -n "$n" link set lo up
        ip netns exec "$n" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
    done
    ip -n "$NSA" link add va mtu 1500 type veth peer name vb mtu 1500 netns "$NSB" || return 1
    ip -n "$NSA" addr add $OUT_A/24 dev va
    ip -n "$NSB" addr add $OUT_B/24 dev vb
    ip -n "$NSA" link set va up
    ip -n "$NSB" link set vb up
    wait_for 5 in_a ping -c1 -W1 $OUT_B
}

peer_veth() { A=$OUT_A B=$OUT_B VIA=va; }

peer_veth_nogso() {         # what a TUN device without offloads does to TCP
    in_a ethtool -K va tso off gso off gro off >/dev/null || return 1
    in_b ethtool -K vb tso off gso off gro off >/dev/null || return 1
    peer_veth
}

# ------------------------------------------------------------ wireguard-go --

peer_wireguard() {
    local a=wga$$ b=wgb$$ key_a key_b     # other names: their sockets are in one directory
    if [[ ! -x $WG_GO ]] || ! command -v wg >/dev/null; then
        fail "needs wireguard-go and wg"
        return
    fi
    (umask 077 && wg genkey >"$TMP/key-a" && wg genkey >"$TMP/key-b") || return
    key_a=$(wg pubkey <"$TMP/key-a") key_b=$(wg pubkey <"$TMP/key-b")
    spawn "$NSA" "$TMP/wg-a.log" "$WG_GO" -f $a
    VPN_PIDS+=("$SPAWNED")
    spawn "$NSB" "$TMP/wg-b.log" "$WG_GO" -f $b
    VPN_PIDS+=("$SPAWNED")
    if ! wait_for 5 in_a wg show $a || ! wait_for 5 in_b wg show $b; then
        fail "wireguard-go did not start"
        return
    fi
    in_a wg set $a listen-port 51820 private-key "$TMP/key-a" peer "$key_b" endpoint $OUT_B:51820 allowed-ips $IN_B/32
    in_b wg set $b listen-port 51820 private-key "$TMP/key-b" peer "$key_a" endpoint $OUT_A:51820 allowed-ips $IN_A/32
    ip -n "$NSA" addr add $IN_A/24 dev $a
    ip -n "$NSB" addr add $IN_B/24 dev $b
    ip -n "$NSA" link set $a up
    ip -n "$NSB" link set $b up
    A=$IN_A B=$IN_B VIA=$a
    wait_for 5 in_a ping -c1 -W1 $IN_B || fail "no ping through wireguard-go"
}

# -------------------------------------- strongSwan charon + kernel-libipsec --

# ss_write_conf SIDE LOCAL REMOTE INNER_LOCAL INNER_REMOTE ESP CIPHER_PLUGINS [KERNEL_PLUGINS] [ENCAP]
ss_write_conf() {
    local d=$TMP/ss-$1 kernel=${8:-kernel-libipsec kernel-netlink} encap=${9:-yes}
    mkdir -p "$d"
    # One private strongswan.conf per side: own vici socket, own log, own plugin
    # list.  The first plugin that offers an algorithm wins, so the cipher
    # plugins come first; kernel-libipsec before kernel-netlink takes the
    # kernel-ipsec role, leaving kernel-netlink routes and addresses.
    cat >"$TMP/strongswan-$1.conf" <<CONF
charon-systemd {
    load_modular = no
    load = random nonce aes sha1 sha2 hmac kdf $7 curve25519 $kernel socket-default vici updown
    install_virtual_ip = no
    syslog {
        daemon {
            default = -1
        }
    }
    filelog {
        log {
            path = $TMP/charon-$1.log
            flush_line = yes
            default = 1
        }
    }
    plugins {
        vici {
            socket = unix://$d/vici
        }
    }
}
swanctl {
    load = random nonce openssl
}
CONF
    cat >"$TMP/swanctl-$1.conf" <<CONF
connections {
    net {
        version = 2
        local_addrs = $2
        remote_addrs = $3
        proposals = aes128-sha256-x25519
        rekey_time = 0
        encap = $encap
        local {
            auth = psk
            id = $2
        }
        remote {
            auth = psk
            id = $3
        }
        children {
            net {
                mode = tunnel
                local_ts = $4/32
                remote_ts = $5/32
                esp_proposals = $6
                rekey_time = 0
            }
        }
    }
}
secrets {
    ike-net {
        id-a = $OUT_A
        id-b = $OUT_B
        secret = "throughput-$$"
    }
}
CONF
}

ss_start() {                # ss_start SIDE NETNS
    spawn "$2" "$TMP/charon-$1.out.log" env STRONGSWAN_CONF="$TMP/strongswan-$1.conf" \
        unshare --mount sh -c 'mount -t tmpfs run /run && exec "$@"' sh "$SS_DAEMON"
    VPN_PIDS+=("$SPAWNED")
}

xb_start() {                # xb_start SIDE NETNS IFACE: a bridge beside IFACE or in front of it, then charon under it
    local attach=(--attach "$3")
    [[ $XB_ATTACH == stack ]] && attach=()
    spawn "$2" "$TMP/bridge-$1.log" "$BRIDGE" run "${attach[@]}" --tap xfrm0 --dir "$TMP/xb-$1"
    VPN_PIDS+=("$SPAWNED")
    if ! wait_for 20 grep -qx ready "$TMP/bridge-$1.log"; then
        fail "bridge $1 did not come up: $(tail -n1 "$TMP/bridge-$1.log")"
        return
    fi
    spawn "$2" "$TMP/charon-$1.out.log" "$BRIDGE" exec --dir "$TMP/xb-$1" -- \
        env STRONGSWAN_CONF="$TMP/strongswan-$1.conf" \
        unshare --mount sh -c 'mount -t tmpfs run /run && exec "$@"' sh "$SS_DAEMON"
    VPN_PIDS+=("$SPAWNED")
}

peer_bridge() {             # peer_bridge ESP [udp]
    local esp=$1 encap=no
    [[ ${2:-} == udp ]] && encap=yes
    [[ -x $BRIDGE ]] || { fail "BRIDGE is not an executable"; return; }
    BRIDGE=$(readlink -f "$BRIDGE")
    rm -rf "$TMP"/ss-? "$TMP"/xb-? "$TMP"/charon-*.log
    mkdir -p "$TMP/xb-a" "$TMP/xb-b"
    ss_write_conf a $OUT_A $OUT_B $IN_A $IN_B "$esp" "$SS_PREFER" kernel-netlink $encap
    ss_write_conf b $OUT_B $OUT_A $IN_B $IN_A "$esp" "$SS_PREFER" kernel-netlink $encap
    ip -n "$NSA" addr add $IN_A/32 dev lo
    ip -n "$NSB" addr add $IN_B/32 dev lo
    xb_start a "$NSA" va && xb_start b "$NSB" vb || return
    ip -n "$NSA" route replace $IN_B/32 via $OUT_B src $IN_A
    ip -n "$NSB" route replace $IN_A/32 via $OUT_A src $IN_B
    ss_connect "$esp" xfrm0
}

ss_ctl() {                  # ss_ctl SIDE ARGS...: swanctl against that side's vici socket
    local s=$1; shift
    STRONGSWAN_CONF="$TMP/strongswan-$s.conf" swanctl "$@" --uri "unix://$TMP/ss-$s/vici"
}

ss_connect() {              # ss_connect ESP DEVICE: an SA between the daemons, and a ping over DEVICE
    local side
    for side in a b; do
        wait_for 10 ss_ctl $side --stats || { fail "charon did not start"; return; }
    done
    for side in a b; do
        ss_ctl $side --load-all --file "$TMP/swanctl-$side.conf" --noprompt >"$TMP/swanctl-$side.log" 2>&1 ||
            { fail "swanctl --load-all failed"; return; }
    done
    ss_ctl a --initiate --child net --timeout 10 >"$TMP/initiate.log" 2>&1 || { fail "no CHILD_SA for $1"; return; }
    A=$IN_A B=$IN_B VIA=$2
    wait_for 20 in_a ping -c1 -W1 $IN_B || { fail "no ping over $2"; return; }
    DETAIL=$(ss_ctl a --list-sas | sed -n 's/.*\(ESP:[^ ]*\).*/\1/p' | head -1)
}

peer_strongswan() {         # peer_strongswan ESP [CIPHER_PLUGIN]
    local esp=$1 plug=${2:-$SS_PREFER}
    if [[ ! -x $SS_DAEMON ]] || ! command -v swanctl >/dev/null; then
        fail "needs $SS_DAEMON and swanctl"
        return
    fi
    rm -rf "$TMP"/ss-? "$TMP"/charon-*.log
    ss_write_conf a $OUT_A $OUT_B $IN_A $IN_B "$esp" "$plug"
    ss_write_conf b $OUT_B $OUT_A $IN_B $IN_A "$esp" "$plug"
    # The tunnel endpoints must not be inside the remote traffic selector
    # (kernel-libipsec would route its own ESP into the tunnel), hence inner
    # addresses of their own, on lo.
    ip -n "$NSA" addr add $IN_A/32 dev lo
    ip -n "$NSB" addr add $IN_B/32 dev lo
    ss_start a "$NSA"; ss_start b "$NSB"
    ss_connect "$esp" ipsec0 || return
    DETAIL+=" cipher-from=$(ss_cipher_plugin "$esp"), $(ss_ctl a --version | cut -d' ' -f1-3)"
}

ss_cipher_plugin() {        # which plugin supplies the negotiated AEAD
    local name
    case $1 in
        chacha20poly1305*) name=CHACHA20_POLY1305 ;;
        *gcm16*)           name=AES_GCM_16 ;;
        *)                 name=${1%%-*} ;;
    esac
    ss_ctl a --list-algs | sed -n "s/.*$name\[\([^]]*\)\].*/\1/p" | head -1
}

# ------------------------------------------------------------- measurement --

cpu_ticks() {               # TICKS: user+sys ticks of the given pids
    local p
    TICKS=0
    for p in "$@"; do stat_of "$p" && TICKS=$((TICKS + STAT[11] + STAT[12])); done
}

machine() {                 # BUSY, STEAL, OURS: ticks so far of all cores' work, of
    local user nice system irq softirq p    # the hypervisor's, of this script's and kernel threads
    read -r _ user nice system _ _ irq softirq STEAL _ </proc/stat
    BUSY=$((user + nice + system + irq + softirq))
    cpu_ticks "${PIDS[@]}"
    stat_of $$ && OURS=$((TICKS + STAT[11] + STAT[12] + STAT[13] + STAT[14]))
    for p in /proc/[0-9]*; do
        stat_of "${p#/proc/}" && ((STAT[6] & 0x200000)) && OURS=$((OURS + STAT[11] + STAT[12]))  # PF_KTHREAD
    done
}

calc() { awk "BEGIN{printf \"$1\", $2}"; }

wait_quiet() {              # give other work up to QUIET s to go below 0.15 core
    local end=$((SECONDS + QUIET)) b
    while :; do
        machine; b=$BUSY; nap 1; machine
        ((BUSY - b < 15)) && return
        ((SECONDS < end)) || { log "machine still busy after ${QUIET}s, measuring anyway"; return; }
    done
}

listening() { in_b ss -Hltn 'sport = 5201' | grep -q .; }

measure() {                 # measure NAME: run all tests; result line in RESULT, foreign cores in BG
    local name=$1 server hz t0 t1 ab ba bytes vpn=- all rtt rx tx bg steal b0 b1 b2 s0 o0 c1 c2
    local iperf=(timeout $((SECS + 20)) iperf3 -c "$B" -B "$A" -p 5201 -t "$SECS" -J)
    hz=$(getconf CLK_TCK)

    wait_quiet
    spawn "$NSB" "$TMP/iperf-server.log" iperf3 -s -B "$B" -p 5201; server=$SPAWNED
    wait_for 5 listening || { fail "iperf3 -s did not start"; return; }
    t0=${EPOCHREALTIME/./}; machine; b0=$BUSY s0=$STEAL o0=$OURS

    rtt=$(in_a ping -n -c "$PINGS" -i 0.002 -W 1 "$B" | sed -n 's/.*time=\([0-9.]*\) ms/\1/p' |
        sort -n | awk '{v[NR]=$1*1000} END{if(NR)printf "%.0f",(v[int((NR+1)/2)]+v[int(NR/2)+1])/2; else print "nan"}')

    machine; b1=$BUSY; cpu_ticks "${VPN_PIDS[@]}"; c1=$TICKS
    in_a "${iperf[@]}" -C "$CC"    >"$TMP/tcp-ab.json" || { fail "$name: iperf3 TCP a->b failed"; return; }
    in_a "${iperf[@]}" -C "$CC" -R >"$TMP/tcp-ba.json" || { fail "$name: iperf3 TCP b->a failed"; return; }
    machine; b2=$BUSY; cpu_ticks "${VPN_PIDS[@]}"; c2=$TICKS

    in_a "${iperf[@]}" -u -b 0 -l 64 >"$TMP/udp.json" || { fail "$name: iperf3 UDP failed"; return; }
    t1=${EPOCHREALTIME/./}; machine
    bg=$(calc %.2f "(($BUSY-$b0)-($OURS-$o0))/$hz/(($t1-$t0)/1e6)")
    steal=$(calc %.2f "($STEAL-$s0)/$hz/(($t1-$t0)/1e6)")
    stop_pids "$server"

    ab=$(jq .end.sum_received.bits_per_second "$TMP/tcp-ab.json")
    ba=$(jq .end.sum_received.bits_per_second "$TMP/tcp-ba.json")
    bytes=$(jq -s 'map(.end.sum_received.bytes)|add' "$TMP/tcp-ab.json" "$TMP/tcp-ba.json")
    # sum_received.bytes is the server's own count of what arrived
    read -r rx tx <<<"$(jq -r '.end|[.sum_received,.sum_sent]|map(.bytes/64/.seconds|floor)|@tsv' "$TMP/udp.json")"
    ((${#VPN_PIDS[@]})) && vpn=$(calc %.3f "($c2-$c1)/$hz/($bytes/1e9)")
    all=$(calc %.3f "($b2-$b1)/$hz/($bytes/1e9)")

    BG=$bg
    printf -v RESULT 'peer=%s tcp_ab_gbps=%.3f tcp_ba_gbps=%.3f udp64_pps=%s udp64_tx_pps=%s rtt_us_p50=%s' \
        "$name" "$(calc %.6f "$ab/1e9")" "$(calc %.6f "$ba/1e9")" "${rx:-nan}" "${tx:-nan}" "$rtt"
    RESULT+=" cpu=$vpn cpu_all=$all bg=$bg steal=$steal"
}

measure_quietly() {         # measure, again if other work got in the way; keep the best
    local best='' best_bg=''
    for _ in 1 2 3; do
        measure "$1" || return
        [[ -z $best || $(calc %d "$BG < $best_bg") == 1 ]] && best=$RESULT best_bg=$BG
        [[ $(calc %d "$best_bg <= $NOISE") == 1 ]] && break
        log "noisy: $RESULT"
    done
    echo "$best" | tee -a "$TMP/results"
}

run_peer() {                # run_peer NAME: set up, measure, tear down
    local name=$1 rc=1 A B VIA DETAIL='' kind esp more
    IFS=- read -r kind esp more <<<"$name"
    if make_netns; then
        case $kind-$esp in
            veth-)        peer_veth ;;
            veth-nogso)   peer_veth_nogso ;;
            xb-?*)        peer_bridge "$esp" "$more" ;;
            ss-?*)        peer_strongswan "$esp" "$more" ;;
            wireguard-go) peer_wireguard ;;
            *)            fail "unknown peer $name" ;;
        esac && {
            log "$name: $(in_a ip -o route get "$B" | sed 's/ uid.*//')" \
                "mtu=$(in_a cat "/sys/class/net/$VIA/mtu") $DETAIL"
            measure_quietly "$name"; rc=$?
        }
    fi
    save_logs "$name"
    teardown
    return $rc
}

openssl_line() {            # single-core AES-GCM limit at the packet size
    local c r
    for c in aes-128-gcm aes-256-gcm chacha20-poly1305; do
        r=$(openssl speed -seconds 2 -bytes 1420 -evp $c 2>/dev/null |
            awk 'END{sub(/k$/,"",$NF); printf "%.3f", $NF*8e3/1e9}')
        echo "openssl=$c bytes=1420 gbps=$r" | tee -a "$TMP/results"
    done
}

summary() {                 # medians with (min-max) over the repetitions
    echo; echo "median (min-max) of $REPS interleaved runs"
    awk '
    function med(s,   v,n,i,j,t) {
        n = split(s, v, " ")
        for (i = 2; i <= n; i++) for (j = i; j > 1 && v[j-1]+0 > v[j]+0; j--) { t=v[j]; v[j]=v[j-1]; v[j-1]=t }
        return sprintf("%s(%s-%s)", n % 2 ? v[(n+1)/2] : (v[n/2]+v[n/2+1])/2, v[1], v[n])
    }
    {
        id = $1; first = 2
        if (id ~ /^(openssl)=/) { id = id " " $2; first = 3 }
        if (!(id in seen)) { seen[id] = 1; order[++nid] = id }
        for (i = first; i <= NF; i++) {
            eq = index($i, "="); k = substr($i, 1, eq-1); x = substr($i, eq+1)
            if (!((id, k) in val)) keys[id] = keys[id] " " k
            val[id, k] = val[id, k] " " x
        }
    }
    END {
        for (q = 1; q <= nid; q++) {
            id = order[q]; n = split(keys[id], ks, " "); line = id
            for (i = 1; i <= n; i++)
                line = line " " ks[i] "=" (val[id, ks[i]] ~ /^( -)+$/ ? "-" : med(val[id, ks[i]]))
            print line
        }
    }' "$TMP/results"
}

# -------------------------------------------------------------------- main --

((EUID == 0)) || { log "needs root"; exit 1; }
for t in ip iperf3 jq ping openssl ethtool unshare; do
    command -v $t >/dev/null || { log "$t is not installed"; exit 1; }
done
: >"$TMP/results"

log "$(date -u +%FT%TZ) $(uname -sr) $(nproc) cores,$(sed -n 's/^model name.*: / /p;T;q' /proc/cpuinfo)"
log "tcp=$CC secs=$SECS reps=$REPS load=$(cut -d' ' -f1-3 /proc/loadavg)"
log "$(iperf3 --version | head -1); $(openssl version | cut -d' ' -f1-2)"

rc=0
for ((r = 1; r <= REPS; r++)); do
    log "--- repetition $r of $REPS"
    openssl_line
    for p in $PEERS; do run_peer "$p" || rc=1; done
done
summary
((rc == 0))
