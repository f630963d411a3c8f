#!/bin/sh
# programs.sh DIRECTORY UNPACKED: what a host's network programs ask, in a network namespace and mounts of its own:
# D-Bus, udev, an empty /run, and /etc and /usr with those of DIRECTORY and UNPACKED over this machine's. Says
# "prepared".
set -eu
mount --make-rprivate /
for tree in etc usr; do
    mkdir -p "$1/$tree"
    mount -t overlay overlay -o "lowerdir=$1/$tree:$2/$tree:/$tree" "/$tree"
done
mount -t tmpfs lib /var/lib
mount -t tmpfs run /run
mkdir -p /run/dbus /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/netif/lldp /run/systemd/network \
    /run/network /run/dhcpcd /run/NetworkManager /var/lib/NetworkManager /var/lib/dhcp /var/lib/dhcpcd
chown -R systemd-network: /run/systemd/netif
dbus-daemon --system --nofork --nopidfile --address=unix:path=/run/dbus/system_bus_socket &
bus=$!
/lib/systemd/systemd-udevd &
udev=$!
trap 'kill $bus $udev $!' TERM
while ! [ -S /run/dbus/system_bus_socket ] || ! [ -S /run/udev/control ]; do sleep 0.1; done
udevadm trigger --subsystem-match=net --action=add
udevadm settle
echo prepared
sleep infinity &
wait
