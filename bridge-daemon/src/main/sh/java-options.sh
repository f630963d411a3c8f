#!/bin/sh
# java-options.sh CACHE [OPTIONS]: prints what the JVM is told, for the program and for what measures it, and OPTIONS
# behind it, which go before. It starts from CACHE, of packaging/train-cache, if that is there; one that does not fit
# (another Java, other jars, OPTIONS) it leaves out, and says nothing.
#
# Packets make no garbage, so a collector works only while clients change databases: the one that does most in the least
# time. It stops packets for that long; docs/performance.md says for whom another is better. A million entries need
# 1 GB, which is there by default (a quarter of the machine) on one of 4 GB; SAs 1.2 GB. HeapReserve takes no more than
# leaves room for packets.
#
# Native access and Unsafe: jnr reaches native code and memory by names that JDK 25 guards.
cache=$1
options=${2:-}
collector=-XX:+UseParallelGC
for option in $options; do
    case $option in
        -XX:+Use*GC) collector= ;;
        -XX:AOT* | -XX:SharedArchiveFile* | -Xshare*) cache= ;;
    esac
done
case $cache in
    *[[:space:]]*) cache= ;;
    ?*) if [ -r "$cache" ]; then cache="-XX:AOTCache=$cache -Xlog:aot*=off,cds*=off"; else cache=; fi ;;
esac
printf '%s\n' "$collector -XX:+UseCompactObjectHeaders -Xms32m -XX:-UsePerfData $cache \
--enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow $options"
