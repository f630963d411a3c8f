#!/bin/sh
# stress.sh PROGRAM [OPTIONS]: see README.md, or --help. Builds on first use. STRESS_JAVA_OPTIONS are for the JVM, in place of what stands below.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
JAVA_HOME=$(sh "$here/../bridge-daemon/src/main/sh/find-jdk.sh")
export JAVA_HOME
if [ ! -d "$here/target/lib" ]; then
    (cd "$here/.." && mvn -B -q -DskipTests -pl bridge-bench -am package) >&2
fi
# shellcheck disable=SC2086
exec "$JAVA_HOME/bin/java" ${STRESS_JAVA_OPTIONS:--Xmx6g -XX:+UseZGC -XX:+UseCompactObjectHeaders} \
    -cp "$here/target/classes:$here/target/lib/*" org.xfrmbridge.bench.Stress "$@"
