#!/bin/sh
# java-options.sh [OPTIONS]: prints what the JVM is told, for the program and for what measures it, and OPTIONS behind
# it, which go before. Packets make no garbage, so a collector works only while clients change databases: the one that
# does most in the least time. It stops packets for that long; docs/performance.md says for whom another is better. A
# million entries need 1 GB, which is there by default (a quarter of the machine) on one of 4 GB; SAs 1.2 GB.
# HeapReserve takes no more than leaves room for packets.
case ${1:-} in
    *-XX:+Use*GC*) collector= ;;
    *) collector=-XX:+UseParallelGC ;;
esac
printf '%s\n' "$collector -XX:+UseCompactObjectHeaders -Xms64m -XX:-UsePerfData ${1:-}"
