#!/bin/sh
# compare.sh CHECKOUT CHECKOUT... [OPTIONS]: how long a packet takes with other builds, where it takes 1 with the first.
# Some dozen samples are to tell one in a hundred apart. In each checkout this was done:
#
#     mvn -B -q -DskipTests -pl bridge-bench -am package
#
# One may be there twice: what is not 1 then is this machine. --help for the options; README.md says what the figures
# are. No root, no network. The JVM is told what xfrm-bridge tells it, to wait for its compiler, which would be at work
# in what is measured else, and COMPARE_JAVA_OPTIONS.
exec sh "$(dirname -- "$0")/java.sh" 512m "-Xbatch ${COMPARE_JAVA_OPTIONS:-}" org.xfrmbridge.bench.Comparison "$@"
