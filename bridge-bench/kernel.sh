#!/bin/sh
# kernel.sh: the policies of "stress.sh many-policies" in this machine's kernel, in a network namespace of its own
# (root; gcc, iproute2, a kernel with XFRM and tun). A kernel without ESP takes policies all the same. Prefixed ones
# stop at 100,000: each change of one walks many.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
mkdir -p "$here/target"
gcc -O2 -Wall -Wextra -o "$here/target/policies" "$here/src/main/c/policies.c"
namespace=xfrm-stress-$$
ip netns add "$namespace"
trap 'ip netns del "$namespace"' EXIT
# Datagrams end in a device that nobody reads from.
ip -n "$namespace" tuntap add dev sink mode tun
ip -n "$namespace" address add 192.0.2.1/24 dev sink
ip -n "$namespace" link set sink up
ip -n "$namespace" route add default dev sink
printf '%-8s %-22s %9s %9s %9s %9s %9s %11s %9s %9s\n' \
    '' '' entries adds/s updates/s deletes/s dumped/s 'flush ms' B/entry added
ip netns exec "$namespace" "$here/target/policies" -p exact 1000 10000 100000 1000000
ip netns exec "$namespace" "$here/target/policies" -p networks 1000 10000 100000
ip netns exec "$namespace" "$here/target/policies" -p prefixed 1000 10000 100000
