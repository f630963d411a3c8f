package org.xfrmbridge.daemon.selection;

import java.util.List;
import java.util.Set;

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
public record SelectionChange(List<Level> levels, List<Element> added, List<Element> removed, Set<WideScope> wide) {}
