#!/bin/sh
# java-options.sh CACHE [OPTIONS]: prints what the JVM is told, for the program and for what measures it, and OPTIONS
# behind it, which go before. It starts from CACHE, of packaging/train-cache, if that is there; one that does not fit
# (another Java, other jars, OPTIONS) it leaves out, and says nothing.
#
# Packets leave little garbage, of the JDK's ciphers, so a collector works only while clients change databases: the one
# that does most in the least time. It stops packets for that long; docs/performance.md says for whom another is better.
# A million entries need 1 GB, which is there by default (a quarter of the machine) on one of 4 GB; SAs 1.2 GB.
# HeapReserve takes no more than leaves room for packets.
#
# The young generation grows when collections take more than 10 % of the time, not 1 %, and begins with so much that
# hardly one comes before the bridge is ready: else a stream of packets makes 400 MB of it. What the compiler has freed
# is given back every second. The compiler looks for no vectors: packets go as fast without, as ciphers have code of the
# JVM's own, and it keeps the processors from the first second of a stream for less time.
#
# Reflection, of the command line's options, goes by native code: it would make some thirty classes at each start, which
# no cache can hold. Native access and Unsafe: jnr reaches native code and memory by names that JDK 25 guards.
cache=$1
options=${2:-}
collector='-XX:+UseParallelGC -XX:GCTimeRatio=9 -XX:NewSize=20m'
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
printf '%s\n' "$collector -XX:+UseCompactObjectHeaders -Xms32m -XX:TrimNativeHeapInterval=1000 -XX:-UsePerfData \
-XX:-UseSuperWord $cache -Djdk.reflect.useNativeAccessorOnly=true --enable-native-access=ALL-UNNAMED \
--sun-misc-unsafe-memory-access=allow $options"
