package org.xfrmbridge.daemon.figures;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/** The entries with the largest counts, of any number that are offered: as many as there is room for. One thread. */
final class Most<T> {
    /** The count as it was when it was offered: it goes on growing, and an order must not change under a sort. */
    private record Counted<T>(T entry, long count) {}

    private final PriorityQueue<Counted<T>> kept = new PriorityQueue<>(Comparator.comparingLong(Counted::count));
    private final int room;

    Most(int room) {
        this.room = room;
    }

    void offer(T entry, long count) {
        if (kept.size() == room) {
            if (kept.isEmpty() || kept.peek().count() >= count) {
                return;
            }
            kept.remove();
        }
        kept.add(new Counted<>(entry, count));
    }

    /** The one with the largest count first. */
    List<T> inOrder() {
        List<Counted<T>> sorted = new ArrayList<>(kept);
        sorted.sort(Comparator.comparingLong((Counted<T> each) -> each.count()).reversed());
        return sorted.stream().map(Counted::entry).toList();
    }
}
