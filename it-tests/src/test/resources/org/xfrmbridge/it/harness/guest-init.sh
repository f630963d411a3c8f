#!/bin/sh
# The first process of a guest on this machine's files (QemuGuest.java). Parameters of its kernel: scenario=DIR, where
# guest-script is; linux=DIR, where its modules are; modules=NAME,... Output goes to the second serial line.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
parameter() {
    sed "s/.* $1=\([^ ]*\).*/\1/" /proc/cmdline
}
for module in $(parameter modules | tr , ' '); do
    modprobe -d "$(parameter linux)" "$module"
done
mount -t tmpfs run /run
mkdir /run/netns
cp "$(parameter scenario)"/guest-* /run
mount -t tmpfs tmp /tmp
[ ! -e /run/guest-boot ] || exec sh /run/guest-boot
exec </dev/null >/dev/ttyS1 2>&1
sh /run/guest-script
echo "exit code $?"
# What is read from here on may not be there any more.
exec >/dev/null 2>&1
echo o >/proc/sysrq-trigger
sleep 60
