package org.xfrmbridge.daemon.nft;

import java.util.OptionalInt;
import java.util.Set;
import org.xfrmbridge.daemon.nft.OthersChains.Flowtables;
import org.xfrmbridge.daemon.nft.OthersChains.Others;
import org.xfrmbridge.xfrm.Direction;

/**
 * Which packets anything is asked about. A chain of others is never entered: packets of a host that protects nothing go
 * their way as fast as without a bridge.
 *
 * @param directions in which something is selected
 * @param encapsulation whether ESP in UDP comes at ports of daemons
 * @param forwarding whether the host forwards what comes from elsewhere, or may
 * @param bridging whether there are Linux bridges, or may be
 * @param others what others have beside these
 */
record Hooks(Set<Direction> directions, boolean encapsulation, boolean forwarding, boolean bridging, Others others) {
    static final Hooks NONE = new Hooks(Set.of(), false, true, true, Others.NONE);

    Hooks select(Set<Direction> now) {
        return new Hooks(now, encapsulation, forwarding, bridging, others);
    }

    Hooks encapsulate(boolean now) {
        return new Hooks(directions, now, forwarding, bridging, others);
    }

    Hooks forwarding(boolean now) {
        return new Hooks(directions, encapsulation, now, bridging, others);
    }

    Hooks bridging(boolean now) {
        return new Hooks(directions, encapsulation, forwarding, now, others);
    }

    Hooks beside(Others now) {
        return new Hooks(directions, encapsulation, forwarding, bridging, now);
    }

    /** As a record's own, but without the classes that the JVM makes for that at each start. */
    @Override
    public boolean equals(Object object) {
        return object instanceof Hooks hooks
                && directions.equals(hooks.directions)
                && encapsulation == hooks.encapsulation
                && forwarding == hooks.forwarding
                && bridging == hooks.bridging
                && others.equals(hooks.others);
    }

    @Override
    public int hashCode() {
        return directions.hashCode();
    }

    /** Where the sources of what was opened must seem to be behind the TAP. */
    OptionalInt firewalldAt() {
        return directions.isEmpty() ? OptionalInt.empty() : others.firewalldAt();
    }

    /** Whether packets may be forwarded past all chains but the first ones. */
    boolean flowtables() {
        return others.flowtables() != Flowtables.NONE;
    }

    boolean out() {
        return directions.contains(Direction.OUT);
    }

    boolean arriving() {
        return out() && (forwarding || others.seeArriving());
    }

    boolean input() {
        return directions.contains(Direction.IN) || encapsulation;
    }

    boolean forward() {
        return directions.contains(Direction.FWD);
    }

    boolean leaving() {
        return out() || forward();
    }
}
