package org.xfrmbridge.daemon.nft;

import java.util.Collection;
import org.xfrmbridge.daemon.nft.Batch.Family;
import org.xfrmbridge.daemon.nft.Batch.Hook;
import org.xfrmbridge.daemon.nft.Batch.Policy;
import org.xfrmbridge.daemon.nft.Rule.Header;
import org.xfrmbridge.daemon.nft.Rule.Meta;
import org.xfrmbridge.daemon.os.StackSigns;

/**
 * {@code table netdev}: where packets leave by the TAP, its frames get what the bridge has to know of them, and where
 * they come in, what it says of them is read. At the egress of all other devices what is selected goes to the TAP.
 */
final class DeviceChains {
    private static final String TAP_EGRESS = "tap-egress";
    private static final String TAP_EGRESS_UNMARKED = "tap-egress-unmarked";
    private static final String TAP_INGRESS = "tap-ingress";

    /** PACKET_HOST. */
    private static final int TO_THIS_HOST = 0;

    private final StackNames names;
    private final Conditions conditions;
    private final OwnPackets own;
    private final int tapIndex;
    private final int tableFlags;

    /** @param tableFlags {@code enum nft_table_flags} */
    DeviceChains(StackNames names, Conditions conditions, OwnPackets own, int tapIndex, int tableFlags) {
        this.names = names;
        this.conditions = conditions;
        this.own = own;
        this.tapIndex = tapIndex;
        this.tableFlags = tableFlags;
    }

    /** The table anew, as a chain goes with its device, and in table inet which devices it has a chain for. */
    void replace(Batch batch, Collection<CoveredDevice> devices) {
        batch.in(Family.NETDEV).deleteTable();
        batch.in(Family.INET).flushSet(Conditions.COVERED);
        add(batch, devices);
    }

    void add(Batch batch, Collection<CoveredDevice> devices) {
        batch.in(Family.NETDEV).addTable(tableFlags);
        own.addCopied(batch);
        addTap(batch);
        for (CoveredDevice device : devices) {
            addEgress(batch, device);
            if (device.isVrf()) {
                batch.addRule(TAP_INGRESS, toVrf(device));
            }
        }
        batch.in(Family.INET);
        own.know(batch, devices);
        batch.addElements(
                Conditions.COVERED,
                devices.stream()
                        .filter(CoveredDevice::isEthernet)
                        .map(CoveredDevice::key)
                        .toList());
    }

    private void addTap(Batch batch) {
        // Filters of tc have what was opened come in by another device. Whoever binds to this device, or routes there,
        // means to be protected; and what comes from here, and is led back by a route, would go round for ever.
        batch.addChain(TAP_EGRESS_UNMARKED)
                .addRule(
                        TAP_EGRESS_UNMARKED,
                        hasArrival(Conditions.isOpened()).counter().accept())
                .addRule(TAP_EGRESS_UNMARKED, new Rule().counter().drop());
        batch.addChain(TAP_EGRESS, new Hook("filter", Hook.EGRESS, 0, names.tap()), Policy.ACCEPT)
                .addRule(TAP_EGRESS, conditions.isUnmarked().goTo(TAP_EGRESS_UNMARKED))
                .addRule(TAP_EGRESS, appendMac(new Rule(), Meta.MARK, 0, StackNames.MARK_MAC))
                .addRule(TAP_EGRESS, storePrefix(StackNames.UNANSWERED, StackSigns.UNANSWERED_MARK_MAC))
                .addRule(TAP_EGRESS, storePrefix(StackNames.TRANSLATED, StackSigns.TRANSLATED_MARK_MAC));
        batch.addChain(TAP_INGRESS, new Hook("filter", Hook.INGRESS, 0, names.tap()), Policy.ACCEPT)
                .addRule(TAP_INGRESS, new Rule().load(Header.LINK, 8, 4, 0).set(Meta.MARK, 0))
                .addRule(TAP_INGRESS, toArrival());
    }

    private void addEgress(Batch batch, CoveredDevice device) {
        if (device.isEthernet() || device.isTunnel()) {
            batch.addChain(device.chain(), new Hook("filter", Hook.EGRESS, 0, device.name()), Policy.ACCEPT);
        }
        if (device.isTunnel()) {
            own.addTunnel(batch, device.chain());
        }
        if (device.isEthernet()) {
            batch.addRule(device.chain(), toTap());
        }
    }

    private Rule toTap() {
        Rule rule = conditions.isMarked().counter();
        appendMac(rule, Meta.OIF, 6, StackNames.INDEX_MAC);
        return rule.immediate(0, Rule.nativeInt(tapIndex)).forward(0);
    }

    /**
     * The device of a VRF takes in what is sent by it to an address of the VRF. Rules for input then see it come by
     * that device, as they do of what a kernel has opened there.
     */
    private static Rule toVrf(CoveredDevice device) {
        return sign(new Rule().is(Header.LINK, 0, device.beginOfOpened()))
                .immediate(0, Rule.nativeInt(device.index()))
                .forward(0);
    }

    /** To where filters of tc have it come in by the device that its MAC tells: it is for this host, by any MAC. */
    private Rule toArrival() {
        return sign(hasArrival(new Rule()))
                .immediate(0, Rule.bytes(TO_THIS_HOST))
                .set(Meta.PACKET_TYPE, 0)
                .immediate(0, Rule.nativeInt(tapIndex))
                .forward(0);
    }

    private static Rule hasArrival(Rule rule) {
        return rule.is(Header.LINK, 0, Rule.networkShort(StackSigns.ARRIVAL_MAC));
    }

    private static Rule sign(Rule opened) {
        return opened.immediate(0, Rule.nativeInt(StackSigns.OPENED_PRIORITY)).set(Meta.PRIORITY, 0);
    }

    private static Rule storePrefix(int priority, int prefix) {
        return new Rule()
                .is(Meta.PRIORITY, Rule.nativeInt(priority))
                .immediate(0, Rule.networkShort(prefix))
                .store(Header.LINK, 0, 2, 0);
    }

    private static Rule appendMac(Rule rule, Meta what, int offset, int begin) {
        return rule.immediate(0, Rule.networkShort(begin))
                .store(Header.LINK, offset, 2, 0)
                .load(what, 0)
                .store(Header.LINK, offset + 2, 4, 0);
    }
}
