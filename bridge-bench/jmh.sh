#!/bin/sh
# jmh.sh NAME [OPTIONS]: JMH benchmarks with NAME as a part of their class's name, and JMH's options (-h). Builds on first use. The JVM is told
# what xfrm-bridge tells it, a heap of 3 GB, and JMH_JAVA_OPTIONS, a collector maybe among them.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
JAVA_HOME=$(sh "$here/../bridge-daemon/src/main/sh/find-jdk.sh")
export JAVA_HOME
if [ ! -d "$here/target/lib" ]; then
    (cd "$here/.." && mvn -B -q -DskipTests -pl bridge-bench -am package) >&2
fi
# Forks are told what this JVM is told.
# shellcheck disable=SC2046
exec "$JAVA_HOME/bin/java" -Xmx3g $(sh "$here/../bridge-daemon/src/main/sh/java-options.sh" "${JMH_JAVA_OPTIONS:-}") \
    -cp "$here/target/classes:$here/target/lib/*" org.openjdk.jmh.Main "$@"
