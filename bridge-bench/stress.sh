#!/bin/sh
# stress.sh PROGRAM [OPTIONS]: see README.md, or --help. Builds on first use. The JVM is told what xfrm-bridge tells it,
# a heap of 6 GB, and STRESS_JAVA_OPTIONS, a collector maybe among them.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
JAVA_HOME=$(sh "$here/../bridge-daemon/src/main/sh/find-jdk.sh")
export JAVA_HOME
if [ ! -d "$here/target/lib" ]; then
    (cd "$here/.." && mvn -B -q -DskipTests -pl bridge-bench -am package) >&2
fi
# shellcheck disable=SC2046
exec "$JAVA_HOME/bin/java" -Xmx6g $(sh "$here/../bridge-daemon/src/main/sh/java-options.sh" "${STRESS_JAVA_OPTIONS:-}") \
    -cp "$here/target/classes:$here/target/lib/*" org.xfrmbridge.bench.Stress "$@"
