package org.xfrmbridge.db;

/** One place in a {@link WalkList}. Control thread only. */
abstract class WalkEntry<T> {
    private final T value;
    WalkEntry<T> older;
    WalkEntry<T> newer;
    boolean gone;

    WalkEntry(T value) {
        this.value = value;
    }

    final T value() {
        return value;
    }
}
