package org.xfrmbridge.daemon.nft;

import java.util.Collection;
import java.util.Map;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.selection.SelectionChange;
import org.xfrmbridge.daemon.selection.SelectionTable;

/** The tables of a bridge in the host's stack. They stay when the process ends. Control thread. */
public final class StackTable implements SelectionTable {
    /**
     * Puts the tables in place, in one transaction, also over those that a bridge has left.
     *
     * @param tapIndex of the TAP, which must be there
     * @param queue number of the {@link ClearQueue}
     * @param owner what {@link Guard} holds
     * @param first what is selected as soon as they are in place: wide in all scopes where policies outlived a bridge,
     *     so that no packet of theirs passes meanwhile
     */
    public static StackTable install(
            StackNames names, int tapIndex, int queue, NetlinkSocket owner, SelectionChange first) throws OsException {
        throw new UnsupportedOperationException();
    }

    @Override
    public void commit(SelectionChange change) throws OsException {}

    /** @param ports encapsulation ports, and for each the port of the bridge's own socket */
    public void encapsulation(Map<Integer, Integer> ports) throws OsException {}

    /** All devices to cover, from now on. One that is gone meanwhile is left out. */
    public void cover(Collection<CoveredDevice> devices) throws OsException {}

    /** Whether what is selected keeps its source address, whatever NAT others do: switches connection tracking on. */
    public void identity(boolean on) throws OsException {}

    /** Whether somebody has taken the tables away. */
    public boolean isThere() throws OsException {
        return true;
    }

    /** The same tables anew, with all that is selected. */
    public void restore() throws OsException {}

    /** Takes the tables away: for {@code detach}. */
    public static void remove(NetlinkSocket owner) throws OsException {}
}
