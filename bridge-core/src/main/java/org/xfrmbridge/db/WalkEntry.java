package org.xfrmbridge.db;

/** One place in a {@link WalkList}. Control thread only. */
abstract class WalkEntry<T> {
    /** Set before the entry is in a list, and never again. */
    private T value;

    WalkEntry<T> older;

    /** Itself once it has gone. */
    WalkEntry<T> newer;

    final void setValue(T value) {
        this.value = value;
    }

    final boolean isGone() {
        return newer == this;
    }

    final T value() {
        return value;
    }
}
