#!/bin/sh
# Goes on where guest-init.sh finds /run/guest-boot: systemd becomes the first process, with this machine's files below
# a layer that can be written. It has udev, D-Bus, what guest-script starts, and no other units.
mount -t tmpfs layer /media
mkdir /media/upper /media/work
mount -t overlay overlay -o lowerdir=/,upperdir=/media/upper,workdir=/media/work /mnt
echo 0123456789abcdef0123456789abcdef >/mnt/etc/machine-id
units=/mnt/etc/systemd/system
rm -f /mnt/etc/fstab $units/default.target
mkdir -p /mnt/etc/systemd/network $units
cat >$units/guest-bus.service <<'UNIT'
[Unit]
DefaultDependencies=no
[Service]
ExecStartPre=mkdir -p /run/dbus
ExecStart=dbus-daemon --system --nofork --nopidfile --address=unix:path=/run/dbus/system_bus_socket
UNIT
cat >$units/guest-script.service <<'UNIT'
[Unit]
DefaultDependencies=no
Wants=guest-bus.service systemd-udevd.service
After=guest-bus.service systemd-udevd.service
[Service]
ExecStart=sh -c 'exec >/dev/ttyS1 2>&1; sh /run/guest-script; echo "exit code $?"; sh /run/guest-end'
UNIT
printf 'exec >/dev/null 2>&1\necho o >/proc/sysrq-trigger\n' >/run/guest-end
cat >$units/default.target <<'UNIT'
[Unit]
Requires=guest-script.service
UNIT
exec switch_root /mnt /lib/systemd/systemd
