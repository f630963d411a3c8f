package org.xfrmbridge.db;

/** A walk over a database that its owner may leave off and take up again between messages. Control thread. */
public interface Dump<T> {
    /** The next entry, or null at the end. */
    T next();
}
