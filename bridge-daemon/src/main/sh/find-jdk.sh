#!/bin/sh
# Prints the home of a JDK 25 or newer: JAVA_HOME, the java of PATH, then what is installed. Says in one sentence if
# there is none.
is_new_enough() {
    [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 1
    while IFS='=' read -r key value; do
        if [ "$key" = JAVA_VERSION ]; then
            value=${value#\"}
            value=${value%%[!0-9]*}
            [ "${value:-0}" -ge 25 ]
            return
        fi
    done <"$1/release"
    return 1
}

path_java=$(command -v java) && path_java=$(readlink -f -- "$path_java")
for jdk in "${JAVA_HOME:-}" "${path_java%/bin/java}" /usr/lib/jvm/* /opt/*; do
    if [ -n "$jdk" ] && is_new_enough "$jdk"; then
        printf '%s\n' "$jdk"
        exit 0
    fi
done
echo 'xfrm-bridge: JDK 25 or newer is needed and none was found: install one, or set JAVA_HOME to it.' >&2
exit 1
