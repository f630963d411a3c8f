package org.xfrmbridge.daemon.nft;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.xfrmbridge.daemon.nft.Batch.Family;
import org.xfrmbridge.daemon.nft.Batch.Hook;
import org.xfrmbridge.daemon.nft.Batch.Policy;
import org.xfrmbridge.daemon.nft.Rule.Comparison;
import org.xfrmbridge.daemon.nft.Rule.Header;
import org.xfrmbridge.daemon.nft.Rule.Meta;
import org.xfrmbridge.daemon.nft.SetKey.Field;
import org.xfrmbridge.xfrm.Direction;

/**
 * The chains of the host's stack, in the order in which a packet meets them, and what is done with those that
 * {@link SelectionRules} selects. Outbound: marked at output or prerouting, so that routing leads to the TAP; what
 * leaves by another device all the same is sent there at its egress, or dropped. Inbound: given to the queue at input
 * or forward.
 */
final class StackChains {
    static final String ASK = "ask";
    private static final String ENCAPSULATED = "encapsulated";
    private static final String ENCAPSULATE = "encapsulate";
    private static final String IDENTITY = "identity";
    private static final String LAST = "last";
    private static final String COVERED = "covered";
    private static final String IPSEC = "ipsec";
    private static final String TAP_EGRESS = "tap-egress";
    private static final String TAP_INGRESS = "tap-ingress";

    /** Before and behind all others, with room for who must be earlier or later still. */
    private static final int FIRST = -2147483000;

    private static final int VERY_LAST = 2147483000;
    /** Connection tracking is at -200, rules without it at -300. */
    private static final int BEFORE_TRACKING = -310;
    /** Others' source NAT is at 100. */
    private static final int BEFORE_SOURCE_NAT = 90;

    private static final int IPV4 = 2;
    private static final int IPV6 = 10;
    private static final int IPIP = 4;
    private static final int UDP = 17;
    private static final int IPV6_IN_IP = 41;
    private static final int ICMP = 1;
    private static final int ICMPV6 = 58;
    private static final List<Integer> IPSEC_PROTOCOLS = List.of(50, 51, 108);

    private final StackNames names;
    private final int tapIndex;
    private final int queue;
    private final Extensions extensions;

    /**
     * What this kernel has.
     *
     * @param tableFlags {@code enum nft_table_flags} that it knows of those that are wanted
     */
    record Extensions(int tableFlags, boolean nativeQueue, boolean bridgeNetfilter) {}

    StackChains(StackNames names, int tapIndex, int queue, Extensions extensions) {
        this.names = names;
        this.tapIndex = tapIndex;
        this.queue = queue;
        this.extensions = extensions;
    }

    /** All of table inet but what {@link SelectionRules} writes into its own chains. */
    void addInet(Batch batch, SelectionRules selection) {
        batch.addSet(COVERED, SetKey.of(Field.INTERFACE)).addSet(IPSEC, SetKey.of(Field.PROTOCOL));
        batch.addElements(
                IPSEC,
                IPSEC_PROTOCOLS.stream().map(protocol -> Rule.bytes(protocol)).toList());
        batch.addChain(ASK).addRule(ASK, ask());
        batch.addChain(ENCAPSULATED);
        selection.addChains(batch);
        addEntries(batch);
        addInput(batch);
        addForward(batch);
        addLast(batch);
    }

    private Rule ask() {
        return extensions.nativeQueue()
                ? new Rule().queue(queue)
                : new Rule().target("NFQUEUE", 1, IptablesExtensions.queue(queue));
    }

    private void addEntries(Batch batch) {
        String output = "output";
        batch.addChain(output, new Hook("route", Hook.OUTPUT, VERY_LAST), Policy.ACCEPT);
        batch.addRule(output, isLoopback(Meta.OIF).accept());
        batch.addRule(output, isOurs().accept());
        addQuiet(batch, output);
        batch.addRule(output, clearMark());
        batch.addRule(output, new Rule().jump(SelectionRules.chain(Direction.OUT)));
        addMulticast(batch, output);
        String prerouting = "prerouting";
        batch.addChain(prerouting, new Hook("filter", Hook.PREROUTING, VERY_LAST), Policy.ACCEPT);
        batch.addRule(prerouting, isLoopback(Meta.IIF).accept());
        batch.addRule(prerouting, clearMark());
        batch.addRule(prerouting, new Rule().jump(SelectionRules.chain(Direction.OUT)));
    }

    /** Which device a multicast leaves by its sender says, and no route: it is marked where it has got there. */
    private void addMulticast(Batch batch, String output) {
        batch.addRule(
                output,
                toCovered()
                        .is(Meta.FAMILY, Rule.bytes(IPV4))
                        .has(Header.NETWORK, 16, Comparison.AT_LEAST, Rule.bytes(224, 0, 0, 0))
                        .setMark(names.userBits(), 0));
        batch.addRule(
                output,
                toCovered()
                        .is(Meta.FAMILY, Rule.bytes(IPV6))
                        .is(Header.NETWORK, 24, Rule.bytes(0xff))
                        .setMark(names.userBits(), 0));
    }

    private void addInput(Batch batch) {
        String unmark = "input-unmark";
        batch.addChain(unmark, new Hook("filter", Hook.INPUT, FIRST), Policy.ACCEPT)
                .addRule(unmark, clearMark());
        String input = "input";
        batch.addChain(input, new Hook("filter", Hook.INPUT, VERY_LAST), Policy.ACCEPT);
        batch.addRule(input, new Rule().is(Meta.PROTOCOL, Rule.bytes(UDP)).jump(ENCAPSULATED));
        batch.addRule(input, isLoopback(Meta.IIF).accept());
        batch.addRule(input, isTap(Meta.IIF).accept());
        batch.addRule(input, new Rule().load(Meta.PROTOCOL, 0).lookup(IPSEC, 0).accept());
        for (int tunnel : List.of(IPIP, IPV6_IN_IP)) {
            batch.addRule(
                    input, new Rule().is(Meta.PROTOCOL, Rule.bytes(tunnel)).accept());
        }
        batch.addRule(input, new Rule().jump(SelectionRules.chain(Direction.IN)));
    }

    private void addForward(Batch batch) {
        String forward = "forward";
        batch.addChain(forward, new Hook("filter", Hook.FORWARD, VERY_LAST), Policy.ACCEPT);
        batch.addRule(forward, isTap(Meta.IIF).accept());
        batch.addRule(forward, isOurs().accept());
        batch.addRule(forward, new Rule().jump(SelectionRules.chain(Direction.FWD)));
    }

    /** Source NAT may have made another packet of it: what is not marked yet is looked at once more. */
    private void addLast(Batch batch) {
        batch.addChain(LAST, new Hook("filter", Hook.POSTROUTING, VERY_LAST), Policy.ACCEPT);
        batch.addRule(LAST, isLoopback(Meta.OIF).accept());
        batch.addRule(LAST, isTap(Meta.OIF).accept());
        batch.addRule(
                LAST,
                isOurs().immediate(0, Rule.nativeInt(0))
                        .set(Meta.PRIORITY, 0)
                        .setMark(names.userBits(), 0)
                        .accept());
        batch.addRule(
                LAST, new Rule().hasBits(Meta.MARK, names.markBit(), false).jump(SelectionRules.chain(Direction.OUT)));
        batch.addRule(
                LAST, new Rule().hasBits(Meta.MARK, names.markBit(), false).accept());
        batch.addRule(
                LAST, new Rule().load(Meta.OIF, 0).lookup(COVERED, 0).counter().accept());
        batch.addRule(LAST, new Rule().counter().drop());
    }

    /** Without a socket for them the kernel answers ESP, AH and IPComp with "protocol unreachable". */
    private static void addQuiet(Batch batch, String output) {
        batch.addRule(output, unreachable(IPV4, ICMP, Rule.bytes(3, 2), 8 + 9));
        batch.addRule(output, unreachable(IPV6, ICMPV6, Rule.bytes(4, 1), 8 + 6));
    }

    private static Rule unreachable(int family, int protocol, byte[] typeAndCode, int protocolAt) {
        return new Rule()
                .is(Meta.PROTOCOL, Rule.bytes(protocol))
                .is(Meta.FAMILY, Rule.bytes(family))
                .is(Header.TRANSPORT, 0, typeAndCode)
                .load(Header.TRANSPORT, protocolAt, 1, 0)
                .lookup(IPSEC, 0)
                .counter()
                .drop();
    }

    /**
     * Frames between two ports of a bridge come here where br_netfilter is loaded, and are no business of ours: they
     * get the priority of our own. The match for them is one of iptables, and knows the families ip and ip6 alone.
     */
    void addBridged(Batch batch, Family family) {
        if (extensions.bridgeNetfilter()) {
            batch.in(family).addTable(extensions.tableFlags());
            addBridged(batch, "forward", Hook.FORWARD, new Rule());
            addBridged(batch, LAST, Hook.POSTROUTING, new Rule().hasBits(Meta.MARK, names.markBit(), true));
        }
    }

    private static void addBridged(Batch batch, String chain, int hook, Rule condition) {
        batch.addChain(chain, new Hook("filter", hook, VERY_LAST - 1), Policy.ACCEPT);
        batch.addRule(
                chain,
                condition
                        .match("physdev", 0, IptablesExtensions.isBridged())
                        .immediate(0, Rule.nativeInt(StackNames.BYPASS_PRIORITY))
                        .set(Meta.PRIORITY, 0));
    }

    /**
     * @param before ports that it has rules for now
     * @param ports encapsulation ports, and for each the port of the bridge's own socket
     */
    void writeEncapsulation(Batch batch, Map<Integer, Integer> before, Map<Integer, Integer> ports) {
        if (!before.isEmpty()) {
            batch.flushChain(ENCAPSULATED).deleteChain(ENCAPSULATE);
        }
        if (!ports.isEmpty()) {
            batch.addChain(ENCAPSULATE, new Hook("filter", Hook.OUTPUT, BEFORE_TRACKING), Policy.ACCEPT);
        }
        ports.forEach((port, own) -> {
            batch.addRule(ENCAPSULATED, EncapsulationRules.keepalive(port));
            EncapsulationRules.inbound(port, own).forEach(rule -> batch.addRule(ENCAPSULATED, rule));
            EncapsulationRules.outbound(port, own).forEach(rule -> batch.addRule(ENCAPSULATE, rule));
        });
    }

    void writeIdentity(Batch batch, boolean on) {
        if (!on) {
            batch.deleteChain(IDENTITY);
            return;
        }
        batch.addChain(IDENTITY, new Hook("nat", Hook.POSTROUTING, BEFORE_SOURCE_NAT), Policy.ACCEPT);
        batch.addRule(IDENTITY, ownSource(IPV4, 12, 4)).addRule(IDENTITY, ownSource(IPV6, 8, 16));
    }

    private Rule ownSource(int family, int sourceAt, int bytes) {
        return new Rule()
                .is(Meta.FAMILY, Rule.bytes(family))
                .hasBits(Meta.MARK, names.markBit(), true)
                .load(Header.NETWORK, sourceAt, bytes, 0)
                .sourceNat(family, 0);
    }

    /** Table netdev, which is new, and in table inet which devices it has a chain for. */
    void addNetdev(Batch batch, Collection<CoveredDevice> devices) {
        batch.addChain(TAP_EGRESS, new Hook("filter", Hook.EGRESS, 0, names.tap()), Policy.ACCEPT)
                .addRule(TAP_EGRESS, storeInMac(Meta.MARK, 0, StackNames.MARK_MAC));
        batch.addChain(TAP_INGRESS, new Hook("filter", Hook.INGRESS, 0, names.tap()), Policy.ACCEPT)
                .addRule(TAP_INGRESS, new Rule().load(Header.LINK, 8, 4, 0).set(Meta.MARK, 0));
        for (CoveredDevice device : devices) {
            batch.addChain(egress(device), new Hook("filter", Hook.EGRESS, 0, device.name()), Policy.ACCEPT)
                    .addRule(egress(device), toTap());
        }
        batch.in(Family.INET)
                .addElements(
                        COVERED,
                        devices.stream()
                                .map(device -> Rule.nativeInt(device.index()))
                                .toList());
    }

    void flushCovered(Batch batch) {
        batch.flushSet(COVERED);
    }

    static String egress(CoveredDevice device) {
        return "egress-" + device.index();
    }

    private Rule toTap() {
        Rule rule = new Rule().hasBits(Meta.MARK, names.markBit(), true).counter();
        appendMac(rule, Meta.OIF, 6, StackNames.INDEX_MAC);
        return rule.immediate(0, Rule.nativeInt(tapIndex)).forward(0);
    }

    private static Rule storeInMac(Meta what, int offset, int begin) {
        return appendMac(new Rule(), what, offset, begin);
    }

    private static Rule appendMac(Rule rule, Meta what, int offset, int begin) {
        return rule.immediate(0, Rule.networkShort(begin))
                .store(Header.LINK, offset, 2, 0)
                .load(what, 0)
                .store(Header.LINK, offset + 2, 4, 0);
    }

    private Rule clearMark() {
        return new Rule().hasBits(Meta.MARK, names.markBit(), true).setMark(names.userBits(), 0);
    }

    private static Rule isLoopback(Meta device) {
        return new Rule().is(device, Rule.nativeInt(1));
    }

    private Rule isTap(Meta device) {
        return new Rule().is(device, Rule.nativeInt(tapIndex));
    }

    private Rule toCovered() {
        return new Rule()
                .hasBits(Meta.MARK, names.markBit(), true)
                .load(Meta.OIF, 0)
                .lookup(COVERED, 0);
    }

    private static Rule isOurs() {
        return new Rule().is(Meta.PRIORITY, Rule.nativeInt(StackNames.BYPASS_PRIORITY));
    }
}
