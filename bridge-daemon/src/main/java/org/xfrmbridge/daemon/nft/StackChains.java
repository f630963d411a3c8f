package org.xfrmbridge.daemon.nft;

import java.util.Collection;
import java.util.Map;

/**
 * All chains in the host's stack, and which of them are there: {@link OutboundChains} and {@link InboundChains} of
 * {@code table inet}, {@link DeviceChains} of {@code table netdev}, and {@link BridgedFrames}. What is done there with
 * a packet is for those that {@link SelectionRules} selects.
 */
final class StackChains {
    private final Extensions extensions;
    private final OwnPackets own;
    private final SelectionRules selection;
    private final NatRules nat;
    private final BridgedFrames bridged;
    private final OutboundChains outbound;
    private final InboundChains inbound;
    private final DeviceChains devices;

    /**
     * What this kernel has.
     *
     * @param tableFlags {@code enum nft_table_flags} that it knows of those that are wanted
     * @param nat whether it translates addresses
     * @param routes whether rules can ask for the device that a packet would leave by
     * @param groups whether the bridge's own packets are known by the groups of their sockets
     */
    record Extensions(
            int tableFlags, boolean nativeQueue, boolean nat, boolean routes, boolean groups, boolean bridgeNetfilter) {
        Extensions with(boolean bridges) {
            return new Extensions(tableFlags, nativeQueue, nat, routes, groups, bridges);
        }
    }

    StackChains(StackNames names, int tapIndex, int queue, Extensions extensions) {
        this.extensions = extensions;
        Conditions conditions = new Conditions(names, tapIndex);
        own = new OwnPackets(names, extensions.groups());
        selection = new SelectionRules(names, own);
        nat = new NatRules(names, own, extensions.routes());
        bridged = new BridgedFrames(conditions, extensions.bridgeNetfilter());
        outbound = new OutboundChains(conditions, bridged, own, nat, extensions);
        inbound = new InboundChains(conditions, bridged, extensions.nativeQueue(), queue);
        devices = new DeviceChains(names, conditions, own, tapIndex, extensions.tableFlags());
    }

    /** Which packets are selected. */
    SelectionRules selection() {
        return selection;
    }

    /** All of table inet but what {@link SelectionRules} writes into its own chains, and what {@link Hooks} lead to. */
    void addInet(Batch batch) {
        Conditions.addSets(batch);
        own.addChains(batch);
        inbound.addChains(batch);
        selection.addChains(batch, extensions.routes());
        nat.addChains(batch);
        outbound.addChains(batch);
    }

    /** The tables of {@link BridgedFrames}, which hold nothing yet. */
    void addBridgedTables(Batch batch) {
        bridged.addTables(batch, extensions.tableFlags());
    }

    /** As few rules as can be for what is not selected: what is never to be is looked for behind the sets. */
    void writeHooks(Batch batch, Hooks before, Hooks after) {
        outbound.delete(batch, before);
        inbound.delete(batch, before);
        outbound.add(batch, after);
        inbound.add(batch, after);
    }

    /**
     * @param before ports that it has rules for now
     * @param ports encapsulation ports, and for each the port of the bridge's own socket
     */
    void writeEncapsulation(Batch batch, Map<Integer, Integer> before, Map<Integer, Integer> ports) {
        inbound.writeEncapsulation(batch, before, ports);
    }

    /** Table netdev anew, as a chain goes with its device, and in table inet which devices it has a chain for. */
    void replaceNetdev(Batch batch, Collection<CoveredDevice> covered) {
        devices.replace(batch, covered);
    }

    void addNetdev(Batch batch, Collection<CoveredDevice> covered) {
        devices.add(batch, covered);
    }
}
