package org.xfrmbridge.db;

import org.xfrmbridge.xfrm.DatabaseEntry;

/** One link of a {@link WalkList}. Control thread only. */
abstract class WalkEntry<T> implements DatabaseEntry<T> {
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

    @Override
    public final T value() {
        return value;
    }
}
