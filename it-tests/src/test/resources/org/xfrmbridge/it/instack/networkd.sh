#!/bin/sh
# networkd.sh BRIDGE: in a guest that systemd has booted (guest-boot.sh), a host whose eth0 systemd-networkd has, with
# an address from a DHCP server at a peer, and a bridge whose policy is for pings. Says what networkd was told, if the
# bridge's rules and routes were there afterwards and pings answered; at last how many were in the clear.
set -eu
here=192.0.2.1 there=192.0.2.2

ip netns add peer
ip link add eth0 type veth peer name wire netns peer
ip netns exec peer sysctl -qw net.ipv6.conf.all.disable_ipv6=1
ip -n peer link set lo up
ip -n peer link set wire up
ip -n peer address add $there/24 dev wire
ip netns exec peer dnsmasq --conf-file=/dev/null --no-daemon --no-ping --port=0 --user=root --interface=wire \
    --bind-interfaces --dhcp-authoritative --dhcp-range=$here,$here,2m '--dhcp-host=*:*:*:*:*:*,id:*,'$here \
    --dhcp-option=option:T1,3 --dhcp-leasefile=/run/leases >/run/dhcp.log 2>&1 &
cat >/etc/systemd/network/50-eth0.network <<'FILE'
[Match]
Name=eth0
[Network]
DHCP=ipv4
IPv6AcceptRA=no
[DHCPv4]
UseHostname=no
UseDNS=no
FILE
cp "${1%/*}/packaging/00-xfrm-bridge.network" /etc/systemd/network

# within SECONDS WHAT COMMAND...
within() {
    tries=$(($1 * 2)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || {
            echo "not there: $what"
            ip rule
            ip address
            tail -n 5 /run/dhcp.log
            journalctl -n 20 --no-pager 2>&1 || true
            exit 1
        }
        sleep 0.5
    done
}
has_address() { ip -br address show eth0 | grep "$here/24"; }
of_the_bridge() {
    ip rule
    ip -6 rule
    ip route show table 58
}
is_as_before() { [ "$(of_the_bridge)" = "$before" ]; }
answers() { grep -c 'bytes from' /run/pings; }
renewals() { grep -c DHCPACK /run/dhcp.log; }
more_than() { [ "$("$1")" -gt "$2" ]; }

# step NAME COMMAND...
step() {
    name=$1
    shift
    "$@"
    within 30 "the address after $name" has_address
    within 40 "rules and routes after $name" is_as_before
    within 30 "answers after $name" more_than answers $(($(answers) + 10))
    echo "$name kept"
}
await_renewals() { within 60 renewals more_than renewals $(($(renewals) + 2)); }
without_foreign() {
    mkdir -p /etc/systemd/networkd.conf.d
    printf '[Network]\nManageForeignRoutingPolicyRules=no\nManageForeignRoutes=no\n' \
        >/etc/systemd/networkd.conf.d/foreign.conf
    systemctl restart systemd-networkd
}

# protect NEAR FAR: lines for ip -batch
protect() {
    key='aead rfc4106(gcm(aes)) 0x000102030405060708090a0b0c0d0e0f10111213 128'
    echo "xfrm state add src $here dst $there proto esp spi 0x1001 mode transport $key"
    echo "xfrm state add src $there dst $here proto esp spi 0x1002 mode transport $key"
    echo "xfrm policy add src $1 dst $2 proto icmp dir out tmpl proto esp mode transport"
    echo "xfrm policy add src $2 dst $1 proto icmp dir in tmpl proto esp mode transport"
}

systemctl start systemd-networkd
within 60 'an address' has_address
systemd-run -q --unit=bridge --property=DefaultDependencies=no --setenv=XFRM_BRIDGE_JAVA_OPTIONS \
    --property=StandardOutput=file:/run/bridge.log --property=StandardError=file:/run/bridge.log \
    "$1" run --dir /run/bridge
within 120 ready grep '^ready' /run/bridge.log
protect $here $there >/run/database
"$1" exec --dir /run/bridge -- ip -batch /run/database
protect $there $here >/run/database
ip netns exec peer ip -batch /run/database
ip netns exec peer tcpdump -U -Z root -i wire -w /run/wire.pcap icmp 2>/run/tcpdump.log &
within 20 'a sniffer' grep listening /run/tcpdump.log
ping -i 0.2 $there >/run/pings 2>&1 &
within 30 answers more_than answers 10
before=$(of_the_bridge)
case $before in
    *'lookup 58'*) ;;
    *) echo "there are no rules" ;;
esac
step renewals await_renewals
step reload networkctl reload
step reconfigure networkctl reconfigure eth0
step restart systemctl restart systemd-networkd
step foreign without_foreign
step udev systemctl restart systemd-udevd
! grep -q 'somebody has taken away rules' /run/bridge.log || echo 'rules were taken away and put back'
sleep 2
echo "clear $(tcpdump -n -r /run/wire.pcap 2>/dev/null | wc -l)"
