#!/bin/sh
# stress.sh PROGRAM [OPTIONS]: see README.md, or --help. Builds on first use. The JVM is told what xfrm-bridge tells it,
# a heap of 6 GB, and STRESS_JAVA_OPTIONS, a collector maybe among them.
exec sh "$(dirname -- "$0")/java.sh" 6g "${STRESS_JAVA_OPTIONS:-}" org.xfrmbridge.bench.Stress "$@"
