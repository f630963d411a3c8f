#!/bin/bash
# What the scripts that source it have in common: a bridge of this build in a network namespace, and
# what is to be cleaned up. A script that sources it begins with its description, which is its help.
set -u -o pipefail
export LC_ALL=C

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BRIDGE=${BRIDGE:-$HERE/../xfrm-bridge}
BRIDGE_PID=
TMP=$(mktemp -d "/tmp/$(basename "$0" .sh).XXXXXX") || exit 1
NAMESPACES=()    # those that this script made

usage() {
    sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

fail() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

# prepare NAME: asks for root, and makes $TMP/NAME of src/main/c/NAME.c.
prepare() {
    [ "$(id -u)" = 0 ] || fail 'needs root'
    gcc -O2 -Wall -o "$TMP/$1" "$HERE/src/main/c/$1.c" || fail "$1.c does not compile"
}

add_namespace() {
    ip netns add "$1" || fail 'no network namespace'
    NAMESPACES+=("$1")
    ip -n "$1" link set lo up
}

del_namespaces() {
    local namespace
    for namespace in "${NAMESPACES[@]}"; do
        ip netns del "$namespace"
    done
    NAMESPACES=()
}

# start_bridge NAMESPACE [OPTION...]: before its eth0, on $TMP/bridge; what it says is in $TMP/bridge.log.
start_bridge() {
    rm -f "$TMP/bridge.log"
    ip netns exec "$1" "$BRIDGE" run --attach eth0 --dir "$TMP/bridge" "${@:2}" >"$TMP/bridge.log" 2>&1 &
    BRIDGE_PID=$!
    for _ in {1..300}; do
        grep -qs '^ready' "$TMP/bridge.log" && return
        kill -0 "$BRIDGE_PID" 2>/dev/null || break
        sleep 0.1
    done
    fail "the bridge did not start: $(tail -n 3 "$TMP/bridge.log")"
}

stop_bridge() {
    [ -n "$BRIDGE_PID" ] || return 0
    kill "$BRIDGE_PID" 2>/dev/null
    wait "$BRIDGE_PID" 2>/dev/null
    BRIDGE_PID=
}

clean_up() {
    stop_bridge
    del_namespaces
    rm -rf "$TMP"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# in_ns NAMESPACE COMMAND...: in one whose name begins with PREFIX, which who reads this has set
in_ns() { ip netns exec "$PREFIX$$$1" "${@:2}"; }

# spawn NAME NAMESPACE COMMAND...: in the background; what it says is in $TMP/NAME.log, its number in PIDS
spawn() {
    ip netns exec "$PREFIX$$$2" "${@:3}" >"$TMP/$1.log" 2>&1 &
    # shellcheck disable=SC2034 # of who reads this
    PIDS[$1]=$!
}
