# shellcheck shell=sh
# Read by ./check and ./xfrm-bridge: what they need, and how it is installed on Debian and Ubuntu. They have set me (who
# speaks), home (the checkout) and may_install (yes or no).
#
# An item is a package, or THING:PACKAGE for what may have come by other ways: a program, a file, or the jdk.
# ?PACKAGE is there in some releases only, and needed in those.
JDK=jdk:openjdk-25-jdk-headless
TO_BUILD="$JDK mvn:maven cc:gcc /usr/include/stdio.h:libc6-dev /usr/include/linux/netlink.h:linux-libc-dev"
FOR_DEMO='ip:iproute2 ping:iputils-ping setsid:util-linux /dev/net/tun:'
FOR_CHARON='charon-systemd:charon-systemd swanctl:strongswan-swanctl libstrongswan-standard-plugins'
# Where two cannot be installed beside each other, the first one is.
FOR_TESTS='fping ethtool nftables tcpdump tshark iperf3 jq procps
    charon-systemd strongswan-swanctl strongswan-charon strongswan-starter strongswan-pki
    libstrongswan-standard-plugins libstrongswan-extra-plugins libcharon-extra-plugins openiked
    python3-scapy python3-cryptography user-mode-linux kmod mount musl-tools
    docker.io ?docker-cli docker-compose mmdebstrap debian-archive-keyring qemu-system-x86 ?virtiofsd
    iptables firewalld ufw isc-dhcp-client dnsmasq-base radvd keepalived xl2tpd systemd udev dbus
    debhelper asciidoctor unzip chromium'
FOR_FORMAT='clang-format-19 shellcheck'

can_be_had() {
    LC_ALL=C apt-cache policy "$1" 2>/dev/null | grep -q '^  Candidate: [^(]'
}

lacks() {
    case $1 in
        jdk:*) ! sh "$home/bridge-daemon/src/main/sh/find-jdk.sh" >/dev/null 2>&1 ;;
        /*:*) [ ! -e "${1%:*}" ] ;;
        *:*) ! command -v "${1%:*}" >/dev/null && [ ! -x "/usr/sbin/${1%:*}" ] ;;
        '?'*) lacks "${1#?}" && can_be_had "${1#?}" ;;
        *)
            command -v dpkg-query >/dev/null &&
                ! dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
            ;;
    esac
}

# Sets missing to those of the items that are not here.
list_missing() {
    missing=
    for item; do
        ! lacks "$item" || missing="$missing $item"
    done
}

# Prints the packages of items.
packages_of() {
    for item; do
        item=${item#*:}
        printf ' %s' ${item:+"${item#\?}"}
    done
}

apt_install() {
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends --no-remove \
        -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

# choose PACKAGE ...: adds to chosen those that can be installed together and beside what is here, the earlier before
# the later. Halves are tried where all cannot be.
choose() {
    # shellcheck disable=SC2086 # a list of words
    if apt_install -s $chosen "$@" >/dev/null 2>&1; then
        chosen="$chosen $*"
    elif [ $# -gt 1 ]; then
        half=$(($# / 2)) first='' rest=''
        for package; do
            if [ $half -gt 0 ]; then first="$first $package"; else rest="$rest $package"; fi
            half=$((half - 1))
        done
        set -- "$first" "$rest"
        # shellcheck disable=SC2086
        { choose $1; choose $2; }
    fi
}

# All at once, or else each that can be. Daemons among them are not started.
install_packages() (
    policy=/usr/sbin/policy-rc.d
    made=
    said=$(mktemp)
    trap 'rm -f "$said" $made' EXIT
    trap 'exit 1' HUP INT TERM
    if [ ! -e $policy ]; then
        made=$policy
        printf '#!/bin/sh\nexit 101\n' >$policy
        chmod +x $policy
    fi
    ! apt_install "$@" >"$said" 2>&1 || exit 0
    for package; do
        apt_install "$package" >"$said" 2>&1 ||
            echo "$me: $package could not be installed: $(grep -m 1 '^E:' "$said")" >&2
    done
)

may_apt() {
    [ "$may_install" = yes ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null
}

# set_up ITEM ...: as root, says what it installs of what is missing, and does. Sets missing to what is so still.
set_up() {
    list_missing "$@"
    # shellcheck disable=SC2046,SC2086 # lists of words
    if [ -z "$(packages_of $missing)" ] || ! may_apt; then
        return
    fi
    apt-get update -qq >/dev/null || true
    list_missing "$@"
    chosen=
    # shellcheck disable=SC2046,SC2086
    choose $(packages_of $missing)
    if [ -n "$chosen" ]; then
        echo "$me: installing these packages: ${chosen# }" >&2
        # shellcheck disable=SC2086
        install_packages $chosen
        list_missing "$@"
    fi
}

# require ITEM ...: ends with one list of all that is missing, and says what to do.
require() {
    list_missing "$@"
    [ -n "$missing" ] || return 0
    things='' packages='' advice=''
    for item in $missing; do
        package=${item#*:}
        case $item in
            jdk:*) thing="JDK 25 or newer$(other_jdk)" ;;
            *) thing=${item%:*} ;;
        esac
        things="$things${things:+, }no $thing"
        if [ "$thing" = /dev/net/tun ]; then
            advice="$advice; load the kernel module tun, or give the container that device"
        elif [ "$item" = $JDK ] && knows_no_jdk; then
            advice="$advice; unpack a JDK into /opt (Temurin, say) or set JAVA_HOME to one, as $(release) has none"
        else
            packages="$packages${package:+ $package}"
        fi
    done
    advice=${advice#; }
    if [ -n "$packages" ]; then
        how='apt-get install'
        command -v apt-get >/dev/null || how='install what Debian calls'
        as_root=
        [ "$may_install" = no ] || [ "$(id -u)" = 0 ] || as_root=' (as root this command does)'
        advice="$how$packages$as_root${advice:+; $advice}"
    fi
    echo "$me: there is $things: $advice." >&2
    exit 1
}

# Prints, in brackets, of which version the JDK is that JAVA_HOME names.
other_jdk() {
    [ ! -r "${JAVA_HOME:-}/release" ] ||
        sed -n 's/^JAVA_VERSION="\(.*\)"$/ (that of JAVA_HOME is \1)/p' "$JAVA_HOME/release"
}

# Whether this release has none, and not only no list of its packages yet.
knows_no_jdk() {
    ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1 && ! can_be_had "${JDK#*:}"
}

release() {
    (. /etc/os-release && echo "$NAME ${VERSION_ID:-}")
}
