package org.xfrmbridge.daemon.nft;

import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.xfrmbridge.daemon.selection.Element;
import org.xfrmbridge.daemon.selection.Level;
import org.xfrmbridge.daemon.selection.SelectionChange;
import org.xfrmbridge.daemon.selection.WideScope;
import org.xfrmbridge.xfrm.Direction;

/** All that is selected now, so that the tables can be made anew. */
final class Selected {
    private Map<Level, Set<Element>> elements = new LinkedHashMap<>();
    private Set<WideScope> wide = Set.of();

    Collection<Level> levels() {
        return elements.keySet();
    }

    Set<WideScope> wide() {
        return wide;
    }

    /** Whether the rules are others after the change, and not the elements alone. */
    boolean changesRules(SelectionChange change) {
        return !wide.equals(change.wide()) || !List.copyOf(levels()).equals(change.levels());
    }

    /** In which anything is selected. */
    static Set<Direction> directions(SelectionChange change) {
        Set<Direction> directions = EnumSet.noneOf(Direction.class);
        change.levels().forEach(level -> directions.add(level.direction()));
        change.wide().forEach(scope -> directions.add(scope.direction()));
        return directions;
    }

    void apply(SelectionChange change) {
        Map<Level, Set<Element>> next = new LinkedHashMap<>();
        for (Level level : change.levels()) {
            next.put(level, elements.getOrDefault(level, new HashSet<>()));
        }
        change.removed().forEach(element -> next.get(element.level()).remove(element));
        change.added().forEach(element -> next.get(element.level()).add(element));
        elements = next;
        wide = Set.copyOf(change.wide());
    }

    /** From nothing to what is there. */
    SelectionChange whole() {
        List<Element> all = new ArrayList<>();
        elements.values().forEach(all::addAll);
        return new SelectionChange(List.copyOf(levels()), all, List.of(), wide);
    }
}
