#!/bin/sh
# java.sh HEAP OPTIONS MAIN [ARGUMENTS]: runs a class of this module as stress.sh and jmh.sh do. Builds on first use.
# The JVM is told what xfrm-bridge tells it, a HEAP, and OPTIONS, a collector maybe among them.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
JAVA_HOME=$(sh "$here/../bridge-daemon/src/main/sh/find-jdk.sh")
export JAVA_HOME
if [ ! -d "$here/target/lib" ]; then
    (cd "$here/.." && mvn -B -q -DskipTests -pl bridge-bench -am package) >&2
fi
heap=$1
options=$(sh "$here/../bridge-daemon/src/main/sh/java-options.sh" "" "$2")
shift 2
# shellcheck disable=SC2086
exec "$JAVA_HOME/bin/java" "-Xmx$heap" $options -cp "$here/target/classes:$here/target/lib/*" "$@"
