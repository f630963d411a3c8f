#!/bin/sh
# jmh.sh NAME [OPTIONS]: JMH benchmarks with NAME as a part of their class's name, and JMH's options (-h). Builds on
# first use. The JVM is told what xfrm-bridge tells it, a heap of 3 GB, and JMH_JAVA_OPTIONS, a collector maybe among
# them. So are JMH's forks.
exec sh "$(dirname -- "$0")/java.sh" 3g "${JMH_JAVA_OPTIONS:-}" org.openjdk.jmh.Main "$@"
