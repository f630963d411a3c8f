package org.xfrmbridge.db;

/** One place in a {@link WalkList}. Control thread only. */
abstract class WalkEntry<T> {
    private final T value;
    WalkEntry<T> older;

    /** Itself once it has gone. */
    WalkEntry<T> newer;

    WalkEntry(T value) {
        this.value = value;
    }

    final boolean isGone() {
        return newer == this;
    }

    final T value() {
        return value;
    }
}
