#!/bin/sh
# exec.sh [--dir DIR] [--kernel-level RELEASE] [--force] [--] COMMAND [ARGUMENT ...]
#
# Runs COMMAND, and all that it starts, with its NETLINK_XFRM and PF_KEY sockets diverted to the bridge in DIR (default
# $XFRM_BRIDGE_DIR, what /etc/xfrm-bridge/bridge.conf says, or /run/xfrm-bridge). XFRM_BRIDGE_LIBRARY names the preload
# library if it is not where the build leaves it. The same for a systemd unit or a container: set XFRM_BRIDGE_DIR=DIR
# and LD_PRELOAD=/path/of/libxfrm-bridge.so.
#
# With --kernel-level 6.12 (or XFRM_BRIDGE_KERNEL_LEVEL=6.12.0) COMMAND takes the kernel for that release: what daemons
# ask of an SA database follows from it, and the bridge has all of it, however old the kernel is.
#
# A COMMAND that would run without the library (static, Go, setuid, another C library) would speak to the kernel and is
# refused but for --force. What COMMAND starts is not looked at.
#
# No process is started here, not even for a substitution: this costs a millisecond.

fail() {
    printf 'xfrm-bridge: %s\n' "$1" >&2
    exit "${2:-1}"
}

usage='exec [--dir DIR] [--kernel-level RELEASE] [--force] -- COMMAND [ARGUMENT ...]'
dir=${XFRM_BRIDGE_DIR:-}
configuration=/etc/xfrm-bridge/bridge.conf
level=${XFRM_BRIDGE_KERNEL_LEVEL:-}
force=
while [ $# -gt 0 ]; do
    case $1 in
        --dir) [ $# -gt 1 ] || fail '--dir needs a directory.' 2; dir=$2; shift 2 ;;
        --dir=*) dir=${1#--dir=}; shift ;;
        --kernel-level) [ $# -gt 1 ] || fail '--kernel-level needs a release.' 2; level=$2; shift 2 ;;
        --kernel-level=*) level=${1#--kernel-level=}; shift ;;
        --force) force=yes; shift ;;
        --) shift; break ;;
        -*) fail "unknown option $1; usage: $usage" 2 ;;
        *) break ;;
    esac
done
[ $# -gt 0 ] || fail "no command; usage: $usage" 2

command -v -- "$1" >/dev/null || fail "there is no command $1." 127

case $0 in
    /*) here=${0%/*} ;;
    */*) here=$PWD/${0%/*} ;;
    *) here=$PWD ;;
esac
library=${XFRM_BRIDGE_LIBRARY:-}
for candidate in "$here/libxfrm-bridge.so" "$here/../../../target/libxfrm-bridge.so"; do
    [ -n "$library" ] || [ ! -e "$candidate" ] || library=$candidate
done

launcher=
for candidate in "$here/xfrm-bridge-exec" "$here/../../../target/xfrm-bridge-exec"; do
    [ -n "$launcher" ] || [ ! -x "$candidate" ] || launcher=$candidate
done

if [ -z "$dir" ] && [ -r $configuration ]; then
    while read -r line || [ -n "$line" ]; do
        case $line in
            dir[\ =]*)
                dir=${line#*=}
                dir=${dir#"${dir%%[! ]*}"}
                ;;
        esac
    done <$configuration
fi
dir=${dir:-/run/xfrm-bridge}

# Both must hold after the command has changed its directory.
case $dir in /*) ;; *) dir=$PWD/$dir ;; esac
case $library in /* | '') ;; *) library=$PWD/$library ;; esac

[ -S "$dir/netlink.sock" ] ||
    fail "no bridge in $dir: start one with 'xfrm-bridge run', or name its directory with --dir."
[ -e "$library" ] || fail "the preload library libxfrm-bridge.so is not built: run ./check or mvn package, \
or set XFRM_BRIDGE_LIBRARY."
case $library in
    *[:\ ]*) fail "LD_PRELOAD can't hold the path $library, since it has a colon or a space in it." ;;
esac

# Daemons read three numbers: 6.12 is the same as 6.12.0.
case $level in
    '') ;;
    *[!0-9.]* | .* | *. | *..*) fail "a kernel level is a release as 6.12, not $level." 2 ;;
    *.*.*) XFRM_BRIDGE_KERNEL_LEVEL=$level ;;
    *.*) XFRM_BRIDGE_KERNEL_LEVEL=$level.0 ;;
    *) fail "a kernel level is a release as 6.12, not $level." 2 ;;
esac
[ -z "$level" ] || export XFRM_BRIDGE_KERNEL_LEVEL

XFRM_BRIDGE_DIR=$dir
export XFRM_BRIDGE_DIR
if [ -z "$force" ]; then
    [ -n "$launcher" ] ||
        fail 'xfrm-bridge-exec, which looks at commands, is not built: run ./check or mvn package, or add --force.'
    exec "$launcher" "$library${LD_PRELOAD:+:$LD_PRELOAD}" "$@"
fi
LD_PRELOAD=$library${LD_PRELOAD:+:$LD_PRELOAD}
export LD_PRELOAD
exec "$@"
