package org.xfrmbridge.daemon.nft;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.xfrmbridge.daemon.nft.Batch.Family;
import org.xfrmbridge.daemon.nft.OthersChains.Others;
import org.xfrmbridge.daemon.nft.StackChains.Extensions;
import org.xfrmbridge.daemon.os.IpSocket;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.selection.SelectionChange;
import org.xfrmbridge.daemon.selection.SelectionTable;
import org.xfrmbridge.daemon.selection.WideScope;

/**
 * The tables of a bridge in the host's stack: {@code table inet xfrm-bridge} and {@code table netdev xfrm-bridge}. They
 * stay when the process ends, and without a bridge let nothing pass that they select. Each change is one transaction: a
 * change that is refused leaves everything as it was. Control thread.
 */
public final class StackTable implements SelectionTable {
    private static final int OWNER = 2;
    private static final int PERSIST = 4;
    /** The best first: outlives its owner (Linux 6.9), has one (5.12), anybody's. */
    private static final int[] FLAGS = {OWNER | PERSIST, OWNER, 0};

    private static final Set<Integer> UNKNOWN = Set.of(OsException.ENOENT, OsException.EINVAL, OsException.EOPNOTSUPP);
    private static final Path BRIDGE_NETFILTER = Path.of("/proc/sys/net/bridge");

    private final NetfilterSocket netfilter;
    private final StackNames names;
    private final int tapIndex;
    private final int queue;
    private final boolean haveGroup;
    private Extensions extensions;
    private StackChains chains;

    private Selected selected = new Selected();
    private Hooks hooks = Hooks.NONE;
    private Map<Integer, Integer> encapsulation = Map.of();
    private Set<CoveredDevice> covered = Set.of();
    private boolean shut;
    /** Whether table inet has nothing but what {@link #shut} wrote. */
    private boolean lost;

    private StackTable(StackNames names, int tapIndex, int queue, NetlinkSocket owner, boolean haveGroup) {
        this.names = names;
        this.tapIndex = tapIndex;
        this.queue = queue;
        this.netfilter = new NetfilterSocket(owner);
        this.haveGroup = haveGroup;
    }

    /**
     * Puts the tables in place, also over those that a bridge has left. No device is covered yet.
     *
     * @param tapIndex of the TAP, which must be there
     * @param queue number of the {@link ClearQueue}
     * @param owner what {@link Guard} holds
     * @param haveGroup whether the sockets of the bridge have groups of their own ({@link IpSocket#haveGroups})
     * @param first what is selected as soon as they are in place: wide in all scopes where policies outlived a bridge,
     *     so that no packet of theirs passes meanwhile
     */
    public static StackTable install(
            StackNames names, int tapIndex, int queue, NetlinkSocket owner, boolean haveGroup, SelectionChange first)
            throws OsException {
        StackTable table = new StackTable(names, tapIndex, queue, owner, haveGroup);
        table.selected.apply(first);
        table.findOut();
        return table;
    }

    /** Whether a bridge has left tables that select what its policies are for. */
    public static boolean isLeft(NetlinkSocket owner) throws OsException {
        NetfilterSocket netfilter = new NetfilterSocket(owner);
        return netfilter.hasTable(Family.INET, StackNames.TABLE)
                && netfilter.hasTable(Family.NETDEV, StackNames.TABLE)
                && !ShutChains.areThere(netfilter);
    }

    /** Leaves the tables that a bridge has left as they are until the first {@link #commit}, which replaces them. */
    public static StackTable takeUp(StackNames names, int tapIndex, int queue, NetlinkSocket owner, boolean haveGroup) {
        return new StackTable(names, tapIndex, queue, owner, haveGroup);
    }

    /** What a kernel does not know it refuses. */
    private void findOut() throws OsException {
        OsException refusal = null;
        for (int flags : FLAGS) {
            for (int lacking = 0; lacking < 16; lacking++) {
                try {
                    restore(new Extensions(
                            flags,
                            (lacking & 1) == 0,
                            (lacking & 2) == 0,
                            (lacking & 4) == 0,
                            haveGroup && (lacking & 8) == 0,
                            Files.exists(BRIDGE_NETFILTER)));
                    return;
                } catch (OsException e) {
                    refusal = e;
                    if (!UNKNOWN.contains(e.errno())) {
                        throw e;
                    }
                }
            }
        }
        throw refusal;
    }

    @Override
    public void commit(SelectionChange change) throws OsException {
        if (isTakenUp()) {
            replace(change);
            return;
        }
        try {
            commit(change, covered);
        } catch (OsException e) {
            boolean isFirst = !hooks.leaving()
                    && hooks.select(Selected.directions(change)).leaving();
            if (e.errno() != OsException.ENOENT || !isFirst) {
                throw e;
            }
            // A device is gone, which the caller has yet to hear; what is selected is dropped until it covers anew.
            commit(change, Set.of());
        }
    }

    /** Whether the tables are those that a bridge has left. */
    private boolean isTakenUp() {
        return chains == null;
    }

    private void replace(SelectionChange first) throws OsException {
        Set<CoveredDevice> devices = covered;
        try {
            selected.apply(first);
            findOut();
        } catch (OsException e) {
            selected = new Selected();
            throw e;
        }
        try {
            cover(devices, false);
        } catch (OsException e) {
            // As above.
            if (e.errno() != OsException.ENOENT) {
                throw e;
            }
        }
    }

    private void commit(SelectionChange change, Set<CoveredDevice> devices) throws OsException {
        Hooks next = hooks.select(Selected.directions(change));
        Batch batch = new Batch(Family.INET, StackNames.TABLE);
        chains.selection().write(batch, change, selected, hooks.flowtables());
        if (!next.equals(hooks)) {
            chains.writeHooks(batch, hooks, next);
        }
        if (next.leaving() != hooks.leaving() || !devices.equals(covered)) {
            chains.replaceNetdev(batch, next.leaving() ? devices : Set.of());
        }
        netfilter.commit(batch);
        selected.apply(change);
        hooks = next;
        covered = devices;
    }

    /** Encapsulation ports, and for each the port of the bridge's own socket. */
    public Map<Integer, Integer> encapsulation() {
        return encapsulation;
    }

    /** @param ports encapsulation ports, and for each the port of the bridge's own socket */
    public void encapsulation(Map<Integer, Integer> ports) throws OsException {
        Hooks next = hooks.encapsulate(!ports.isEmpty());
        if (!isTakenUp()) {
            Batch batch = new Batch(Family.INET, StackNames.TABLE);
            chains.writeEncapsulation(batch, encapsulation, ports);
            if (!next.equals(hooks)) {
                chains.writeHooks(batch, hooks, next);
            }
            netfilter.commit(batch);
        }
        encapsulation = Map.copyOf(ports);
        hooks = next;
    }

    /**
     * What others have beside these tables. Where they translate, what passes is left to them, and looked at behind.
     */
    public void beside(Others others) throws OsException {
        change(hooks.beside(others));
    }

    /**
     * Whether the host forwards what comes from elsewhere; till this is said it may. It may do so before this is heard
     * of: what is selected is then marked later on its way.
     */
    public void forwarding(boolean forwards) throws OsException {
        change(hooks.forwarding(forwards));
    }

    private void change(Hooks next) throws OsException {
        if (isTakenUp()) {
            hooks = next;
        } else if (!next.equals(hooks)) {
            Batch batch = new Batch(Family.INET, StackNames.TABLE);
            chains.writeHooks(batch, hooks, next);
            if (next.flowtables() != hooks.flowtables()) {
                chains.selection().writeRules(batch, selected.whole(), next.flowtables());
            }
            netfilter.commit(batch);
            hooks = next;
        }
    }

    /** Where all packets are selected now. */
    public Set<WideScope> wide() {
        return selected.wide();
    }

    /** All that is selected now. */
    public SelectionChange selected() {
        return selected.whole();
    }

    /** Devices that packets may leave by, which have their chains as soon as any are selected. */
    public Set<CoveredDevice> covered() {
        return covered;
    }

    /**
     * All devices that packets may leave by, from now on. One that is gone meanwhile may be refused, with ENOENT: ask
     * anew.
     *
     * @param anew if one may have come in the place of another of the same name and number, whose chain went with it
     */
    public void cover(Set<CoveredDevice> devices, boolean anew) throws OsException {
        if (anew || !devices.equals(covered)) {
            try {
                replaceCovered(devices);
            } catch (OsException e) {
                if (anew) {
                    // Rather none than one that has lost its chain.
                    covered = Set.of();
                    replaceCovered(covered);
                }
                throw e;
            }
        }
        change(hooks.bridging(devices.stream().anyMatch(CoveredDevice::isBridge)));
    }

    private void replaceCovered(Set<CoveredDevice> devices) throws OsException {
        if (hooks.leaving()) {
            Batch batch = new Batch(Family.INET, StackNames.TABLE);
            chains.replaceNetdev(batch, devices);
            netfilter.commit(batch);
        }
        covered = Set.copyOf(devices);
    }

    /** Whether the tables are there as they were made: anybody may delete those of no owner. */
    public boolean isThere() throws OsException {
        return isTakenUp()
                || !lost
                        && netfilter.hasTable(Family.INET, StackNames.TABLE)
                        && netfilter.hasTable(Family.NETDEV, StackNames.TABLE)
                        && extensions.bridgeNetfilter() == Files.exists(BRIDGE_NETFILTER);
    }

    /** The same tables anew, with all that is selected. No device is covered. */
    public void restore() throws OsException {
        restore(extensions.with(Files.exists(BRIDGE_NETFILTER)));
    }

    private void restore(Extensions these) throws OsException {
        StackChains all = new StackChains(names, tapIndex, queue, these);
        SelectionChange whole = selected.whole();
        Hooks next = hooks.select(Selected.directions(whole));
        Batch batch = new Batch(Family.INET, StackNames.TABLE);
        deleteExisting(netfilter, batch);
        batch.in(Family.INET).addTable(these.tableFlags());
        all.addInet(batch);
        all.selection().write(batch, whole, new Selected(), hooks.flowtables());
        all.addBridgedTables(batch);
        all.writeHooks(batch, Hooks.NONE, next);
        all.writeEncapsulation(batch, Map.of(), encapsulation);
        all.addNetdev(batch, Set.of());
        if (shut) {
            ShutChains.add(batch.in(Family.INET));
        }
        netfilter.commit(batch);
        extensions = these;
        chains = all;
        hooks = next;
        covered = Set.of();
        lost = false;
    }

    /** Lets nothing in, and nothing of the host out, but to itself; whatever else of the tables cannot be written. */
    public void shut() throws OsException {
        shut = true;
        lost |= !netfilter.hasTable(Family.INET, StackNames.TABLE);
        Batch batch = new Batch(Family.INET, StackNames.TABLE).addTable(extensions.tableFlags());
        ShutChains.add(batch);
        netfilter.commit(batch);
    }

    /** Ends {@link #shut}. */
    public void open() throws OsException {
        if (shut) {
            Batch batch = new Batch(Family.INET, StackNames.TABLE);
            ShutChains.add(batch);
            ShutChains.delete(batch);
            netfilter.commit(batch);
            shut = false;
        }
    }

    /** Takes the tables away: for {@code detach}. */
    public static void remove(NetlinkSocket owner) throws OsException {
        NetfilterSocket netfilter = new NetfilterSocket(owner);
        Batch batch = new Batch(Family.INET, StackNames.TABLE);
        deleteExisting(netfilter, batch);
        netfilter.commit(batch);
    }

    private static void deleteExisting(NetfilterSocket netfilter, Batch batch) throws OsException {
        for (Family family : Family.values()) {
            if (netfilter.hasTable(family, StackNames.TABLE)) {
                batch.in(family).deleteTable();
            }
        }
    }
}
