package org.xfrmbridge.xfrm;

/**
 * A {@link State} or {@link Policy} as its database keeps it, with the links of the tables it is in. Databases alone
 * make entries and look into them.
 */
public interface DatabaseEntry<T> {
    T value();
}
