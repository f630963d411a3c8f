package org.xfrmbridge.daemon.selection;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;

/**
 * The difference between two selections. Whoever takes it up lets no packet pass meanwhile that both the selection
 * before and the one after would select.
 *
 * @param levels all there are from now on, in the order in which they are asked. One that was not there before is
 *     empty, but for what {@code added} has; one that is no longer there goes with all its elements
 * @param added elements that are new, none of them twice; all are of {@code levels}
 * @param removed elements that were there, all of levels that stay
 * @param wide all scopes that are wide from now on, whatever the sets hold
 */
public record SelectionChange(List<Level> levels, List<Element> added, List<Element> removed, Set<WideScope> wide) {
    /** An empty table stays so. */
    public static SelectionChange nothing() {
        return new SelectionChange(List.of(), List.of(), List.of(), Set.of());
    }

    /** All packets, of an empty table: until it is known which. */
    public static SelectionChange allWide() {
        Set<WideScope> all = new HashSet<>();
        for (Direction direction : Direction.values()) {
            all.add(new WideScope(direction, AddressFamily.INET));
            all.add(new WideScope(direction, AddressFamily.INET6));
        }
        return new SelectionChange(List.of(), List.of(), List.of(), all);
    }
}
