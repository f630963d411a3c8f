# shellcheck shell=sh
# Read by both launchers, ./xfrm-bridge of a checkout and that of the package, which know where things are. They have
# set self (the launcher), scripts (the directory of this file) and programs (that of what is compiled).

# without_jvm [COMMAND ...]: does what needs no JVM, and comes back from nothing else.
without_jvm() {
    case ${1:-} in
        exec)
            case ${2:-} in
                -h | --help | -V | --version) ;;
                *)
                    shift
                    exec sh "$scripts/exec.sh" "$@"
                    ;;
            esac
            ;;
        stat | status)
            # shellcheck source=bridge-daemon/src/main/sh/ask.sh
            . "$scripts/ask.sh"
            ask "$programs/xfrm-bridge-ask" "$@"
            status=$?
            [ $status = 100 ] || exit $status
            ;;
    esac
}

# with_jvm HOME JAR DEMO_JAR [COMMAND ...]: the rest, on the runtime in HOME. The demo has a jar of its own.
# XFRM_BRIDGE_JAVA_OPTIONS are for the JVM.
with_jvm() {
    java=$1/bin/java jars=$2 main=org.xfrmbridge.daemon.cli.Main
    if [ "${4:-}" = demo ]; then
        jars=$jars:$3 main=org.xfrmbridge.demo.DemoCommand
        shift
    fi
    shift 3
    options=$(sh "$scripts/java-options.sh" "$programs/xfrm-bridge.aot" "${XFRM_BRIDGE_JAVA_OPTIONS:-}") || exit 1
    # jffi looks there for its library, before it unpacks one to /tmp.
    # shellcheck disable=SC2086 # a list
    exec "$java" $options -Djffi.boot.library.path="$programs" -Dxfrm-bridge.launcher="$self" -cp "$jars" $main "$@"
}
