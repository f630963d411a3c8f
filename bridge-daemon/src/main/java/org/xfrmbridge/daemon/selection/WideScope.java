package org.xfrmbridge.daemon.selection;

import org.xfrmbridge.xfrm.Direction;

/**
 * Where all packets are selected without a look at the sets.
 *
 * @param family {@link org.xfrmbridge.xfrm.AddressFamily#INET} or INET6
 */
public record WideScope(Direction direction, int family) {
    // As a record's own, but without the classes that the JVM makes for these when they are first asked.

    @Override
    public boolean equals(Object object) {
        return object instanceof WideScope other && direction == other.direction && family == other.family;
    }

    @Override
    public int hashCode() {
        return 31 * direction.ordinal() + family;
    }
}
