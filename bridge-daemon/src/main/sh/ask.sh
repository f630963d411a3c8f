# shellcheck shell=sh
# Read by the launcher.
#
# ask PROGRAM COMMAND [ARGUMENT ...]: prints what a running bridge answers, by the program xfrm-bridge-ask and without a
# JVM. 100, and nothing is printed, for whatever is not as simple or has to be explained: other options, or one twice; a
# line of the configuration file that may concern who asks; no answer.

# is_for_run_alone FILE: whether each line of a configuration file is for who runs a bridge, not for who asks.
is_for_run_alone() {
    [ -e "$1" ] || return 0
    [ -r "$1" ] || return 1
    while read -r line || [ -n "$line" ]; do
        case $line in
            '' | '#'*) ;;
            attach[\ =]* | tap[\ =]* | mark-bit[\ =]* | mark-opened[\ =]* | clamp-mss* | no-offload* | queues[\ =]* | group[\ =]* | \
                flows[\ =]* | acquires[\ =]* | warm-up* | metrics[\ =]* | log-level[\ =]* | \
                log-format[\ =]*) ;;
            *) return 1 ;;
        esac
    done <"$1"
}

ask() {
    program=$1 question=$2 dir='' form=''
    [ -x "$program" ] || return 100
    shift 2
    while [ $# -gt 0 ]; do
        case $1 in
            --json) [ "$form" != json ] || return 100; form=json; shift ;;
            --dir) [ -z "$dir" ] && [ -n "${2:-}" ] || return 100; dir=$2; shift 2 ;;
            --dir=?*) [ -z "$dir" ] || return 100; dir=${1#--dir=}; shift ;;
            *) return 100 ;;
        esac
        case $dir in -* | @*) return 100 ;; esac
    done
    [ "$question" = stat ] || form=${form:-text}
    is_for_run_alone /etc/xfrm-bridge/bridge.conf || return 100
    "$program" "${dir:-${XFRM_BRIDGE_DIR:-/run/xfrm-bridge}}" "$question${form:+ $form}" 2>/dev/null
}
