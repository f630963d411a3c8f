package org.xfrmbridge.daemon.selection;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.xfrmbridge.daemon.selection.ElementSet.Counted;

/**
 * The sets of one direction and family. What wants an element gets it in the level it is of, or in the one which that
 * has become: with too many elements, or with too many levels beside it, a level is merged into one with fewer fields.
 * Each merging takes fields away from the elements that it moves, so that one moves only a few times.
 */
final class ScopeSets {
    /** How many levels a scope may have, and elements a level. */
    record Limits(int levels, int elements) {}

    /** Where elements of one level are, and how many want some. */
    private static final class Place {
        private ElementSet set;
        private int wanted;
    }

    final WideScope scope;
    private final Limits limits;
    private final Map<Level, ElementSet> sets = new LinkedHashMap<>();
    private final Map<Level, Place> places = new HashMap<>();
    private int size;
    /** Of how many what is there now was made coarser; 0 if it was not. */
    private int coarsenedAt;

    ScopeSets(WideScope scope, Limits limits) {
        this.scope = scope;
        this.limits = limits;
    }

    /** How many want elements. */
    int size() {
        return size;
    }

    /** Returns whether packets are selected by the table's sets already. */
    boolean add(Element natural) {
        size++;
        Place place = places.get(natural.level());
        if (place == null) {
            place = new Place();
            place.set = set(natural.level());
            places.put(natural.level(), place);
        }
        place.wanted++;
        Counted counted = place.set.add(natural.under(place.set.level), 1);
        keepWithinLimits(place.set);
        return counted.isInTable();
    }

    /** Returns whether the table's sets have something that nobody wants any more. */
    boolean remove(Element natural) {
        size--;
        Place place = places.get(natural.level());
        place.wanted--;
        if (place.wanted == 0) {
            places.remove(natural.level());
        }
        if (size == 0) {
            coarsenedAt = 0;
        }
        return place.set.remove(natural.under(place.set.level));
    }

    private ElementSet set(Level level) {
        return sets.computeIfAbsent(level, ElementSet::new);
    }

    private void keepWithinLimits(ElementSet changed) {
        if (changed.size() > limits.elements()) {
            // Half, so that it is not full again at once.
            move(changed, Coarsening.coarser(changed, limits.elements() / 2));
        } else if (changed.size() == 1 && sets.size() > limits.levels()) {
            mergeLevels();
        }
    }

    private void mergeLevels() {
        List<ElementSet> filled = filled();
        while (filled.size() > limits.levels()) {
            Coarsening.Merger merger = Coarsening.merger(filled);
            move(merger.one(), merger.into());
            move(merger.other(), merger.into());
            filled = filled();
        }
    }

    private List<ElementSet> filled() {
        List<ElementSet> filled = new ArrayList<>();
        for (ElementSet set : sets.values()) {
            if (!set.isEmpty()) {
                filled.add(set);
            }
        }
        return filled;
    }

    private void move(ElementSet from, Level level) {
        if (from.level.equals(level)) {
            return;
        }
        ElementSet into = set(level);
        from.drain((element, count) -> into.add(element.under(level), count));
        for (Place place : places.values()) {
            if (place.set == from) {
                place.set = into;
            }
        }
        coarsenedAt = size;
        keepWithinLimits(into);
    }

    /** Whether it was made coarser for twice as many as there are now. */
    boolean isTooCoarse() {
        return coarsenedAt > 0 && size <= coarsenedAt / 2;
    }

    /** Nobody wants anything any more. */
    void clear() {
        sets.values().forEach(set -> set.drain((element, count) -> {}));
        places.clear();
        size = 0;
        coarsenedAt = 0;
    }

    /** Whether all packets are wanted. */
    boolean isWide() {
        ElementSet all =
                sets.get(PolicyElements.all(scope.direction(), scope.family()).level());
        return all != null && !all.isEmpty();
    }

    /** How many elements may differ from the table's. */
    int changes() {
        int changes = 0;
        for (ElementSet set : sets.values()) {
            changes += set.changes();
        }
        return changes;
    }

    /** What the table needs to have what is wanted; what is wide has no set. */
    void difference(List<Level> levels, List<Element> added, List<Element> removed) {
        for (ElementSet set : sets.values()) {
            if (!set.isEmpty() && !set.level.isEmpty()) {
                levels.add(set.level);
                set.difference(added, removed);
            }
        }
    }

    /** The table has what is wanted. */
    void settle() {
        sets.values().forEach(ElementSet::settle);
        sets.values().removeIf(ElementSet::isEmpty);
    }
}
