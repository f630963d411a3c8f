package org.xfrmbridge.daemon.selection;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/** The elements of one level, each with the number of those who want it, beside what the table has. */
final class ElementSet {
    /** An element, and whether the table has it. */
    static final class Counted {
        final Element element;
        private int count;
        private boolean inTable;
        private boolean changed;

        Counted(Element element) {
            this.element = element;
        }

        /** Whether packets are selected by it already. */
        boolean isInTable() {
            return inTable;
        }
    }

    final Level level;
    private final Map<Element, Counted> elements = new HashMap<>();
    private final ArrayList<Counted> changed = new ArrayList<>();
    private int wanted;

    ElementSet(Level level) {
        this.level = level;
    }

    /** How many elements somebody wants. */
    int size() {
        return wanted;
    }

    boolean isEmpty() {
        return wanted == 0;
    }

    /** How many elements may differ from the table's. */
    int changes() {
        return changed.size();
    }

    Counted add(Element element, int times) {
        Counted counted = elements.computeIfAbsent(element, Counted::new);
        if (counted.count == 0) {
            wanted++;
            note(counted);
        }
        counted.count += times;
        return counted;
    }

    /** Returns whether nobody wants it any more. */
    boolean remove(Element element) {
        Counted counted = elements.get(element);
        counted.count--;
        if (counted.count == 0) {
            wanted--;
            note(counted);
        }
        return counted.count == 0;
    }

    /** All that are wanted, and how often; nobody wants them any more. */
    void drain(BiConsumer<Element, Integer> taker) {
        for (Counted counted : elements.values()) {
            if (counted.count > 0) {
                taker.accept(counted.element, counted.count);
                counted.count = 0;
                note(counted);
            }
        }
        wanted = 0;
    }

    Iterable<Element> wanted() {
        List<Element> all = new ArrayList<>(wanted);
        for (Counted counted : elements.values()) {
            if (counted.count > 0) {
                all.add(counted.element);
            }
        }
        return all;
    }

    private void note(Counted counted) {
        if (!counted.changed) {
            counted.changed = true;
            changed.add(counted);
        }
    }

    /** What the table needs to have what is wanted. */
    void difference(List<Element> added, List<Element> removed) {
        for (Counted counted : changed) {
            if (counted.count > 0 && !counted.inTable) {
                added.add(counted.element);
            } else if (counted.count == 0 && counted.inTable) {
                removed.add(counted.element);
            }
        }
    }

    /** The table has what is wanted. */
    void settle() {
        Iterator<Counted> all = changed.iterator();
        while (all.hasNext()) {
            Counted counted = all.next();
            counted.changed = false;
            counted.inTable = counted.count > 0;
            if (counted.count == 0) {
                elements.remove(counted.element);
            }
        }
        changed.clear();
        changed.trimToSize();
    }
}
