package org.xfrmbridge.daemon.selection;

import org.xfrmbridge.daemon.os.OsException;

/**
 * The sets and rules in the host's stack that select packets. Before the first change there are no sets, whatever is
 * wide: {@link SelectionChange#allWide} where policies outlived a bridge. Control thread only.
 */
public interface SelectionTable {
    /**
     * Takes up a change as a whole or not at all: once it returns, packets are selected by it.
     *
     * @throws OsException if it could not be taken up: everything is as it was
     */
    void commit(SelectionChange change) throws OsException;
}
