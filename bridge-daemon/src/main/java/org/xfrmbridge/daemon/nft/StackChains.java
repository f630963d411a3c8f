package org.xfrmbridge.daemon.nft;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.xfrmbridge.daemon.nft.Batch.Family;
import org.xfrmbridge.daemon.nft.Batch.Hook;
import org.xfrmbridge.daemon.nft.Batch.Policy;
import org.xfrmbridge.daemon.nft.OthersChains.Flowtables;
import org.xfrmbridge.daemon.nft.OthersChains.Others;
import org.xfrmbridge.daemon.nft.Rule.Comparison;
import org.xfrmbridge.daemon.nft.Rule.Header;
import org.xfrmbridge.daemon.nft.Rule.Meta;
import org.xfrmbridge.daemon.nft.SetKey.Field;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.StackSigns;
import org.xfrmbridge.daemon.selection.WideScope;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * The chains of the host's stack, in the order in which a packet meets them, and what is done with those that
 * {@link SelectionRules} selects. Outbound: marked at output or prerouting, so that routing leads to the TAP; what
 * leaves by another device all the same is sent there at its egress, or dropped. Inbound: given to the queue at input
 * or forward.
 */
final class StackChains {
    private static final String OUTPUT = "output";
    private static final String PREROUTING = "prerouting";
    static final String ARRIVED = "arrived";
    private static final String FORWARDED = "forwarded";
    private static final String SOURCE_CHECK = "source-check";
    private static final String SOURCE_CHECKED = "source-checked";
    private static final String UNMARK = "input-unmark";
    private static final String INPUT = "input";
    private static final String FORWARD = "forward";
    private static final String LEAVING = "leaving";
    private static final String LEAVING_PRIORITY = "leaving-priority";
    static final String LEAVING_SELECTED = "leaving-selected";
    static final String SELECTED = "selected";
    private static final String ENCAPSULATED = "encapsulated";
    private static final String ENCAPSULATE = "encapsulate";
    private static final String IDENTITY = "identity";
    private static final String SHUT_OUTPUT = "shut-output";
    private static final String SHUT_INPUT = "shut-input";
    static final String COVERED = "covered";
    private static final String IPSEC = "ipsec-protocols";
    private static final String TAP_EGRESS = "tap-egress";
    private static final String TAP_EGRESS_UNMARKED = "tap-egress-unmarked";
    private static final String TAP_INGRESS = "tap-ingress";

    /** Before and behind all others, with room for who must be earlier or later still. */
    private static final int FIRST = -2147483000;

    private static final int VERY_LAST = 2147483000;
    /** Connection tracking is at -200, rules without it at -300. */
    private static final int BEFORE_TRACKING = -310;
    /** Others' source NAT is at 100. */
    private static final int BEFORE_SOURCE_NAT = 90;

    private static final int LOOPBACK = 1;
    /** RTN_UNICAST: an address that is neither of this host nor of many. */
    private static final int UNICAST = 1;
    /** PACKET_HOST. */
    private static final int TO_THIS_HOST = 0;

    private static final int IPV4 = AddressFamily.INET;
    private static final int IPV6 = AddressFamily.INET6;
    private static final List<Integer> FAMILIES = List.of(IPV4, IPV6);
    private static final int IPIP = 4;
    private static final int UDP = 17;
    private static final int IPV6_IN_IP = 41;
    private static final int ICMP = 1;
    private static final int ICMPV6 = 58;
    private static final List<Family> BRIDGED_FAMILIES = List.of(Family.IP, Family.IP6);
    private static final List<Integer> IPSEC_PROTOCOLS = List.of(50, 51, 108);

    private final StackNames names;
    private final int tapIndex;
    private final int queue;
    private final Extensions extensions;
    private final OwnPackets own;
    private final SelectionRules selection;
    private final NatRules nat;

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
        this.names = names;
        this.tapIndex = tapIndex;
        this.queue = queue;
        this.extensions = extensions;
        own = new OwnPackets(names, extensions.groups());
        selection = new SelectionRules(names, own);
        nat = new NatRules(names, own, extensions.routes());
    }

    /**
     * Which packets anything is asked about. A chain of others is never entered: packets of a host that protects
     * nothing go their way as fast as without a bridge.
     *
     * @param directions in which something is selected
     * @param forwarding whether the host forwards what comes from elsewhere, or may
     * @param bridging whether there are Linux bridges, or may be
     * @param others what others have beside these
     */
    record Hooks(
            Set<Direction> directions, boolean encapsulation, boolean forwarding, boolean bridging, Others others) {
        static final Hooks NONE = new Hooks(Set.of(), false, true, true, Others.NONE);

        Hooks select(Set<Direction> now) {
            return new Hooks(now, encapsulation, forwarding, bridging, others);
        }

        Hooks encapsulate(boolean now) {
            return new Hooks(directions, now, forwarding, bridging, others);
        }

        Hooks forwarding(boolean now) {
            return new Hooks(directions, encapsulation, now, bridging, others);
        }

        Hooks bridging(boolean now) {
            return new Hooks(directions, encapsulation, forwarding, now, others);
        }

        Hooks beside(Others now) {
            return new Hooks(directions, encapsulation, forwarding, bridging, now);
        }

        /** As a record's own, but without the classes that the JVM makes for that at each start. */
        @Override
        public boolean equals(Object object) {
            return object instanceof Hooks hooks
                    && directions.equals(hooks.directions)
                    && encapsulation == hooks.encapsulation
                    && forwarding == hooks.forwarding
                    && bridging == hooks.bridging
                    && others.equals(hooks.others);
        }

        @Override
        public int hashCode() {
            return directions.hashCode();
        }

        /** Where the sources of what was opened must seem to be behind the TAP. */
        OptionalInt firewalldAt() {
            return directions.isEmpty() ? OptionalInt.empty() : others.firewalldAt();
        }

        /** Whether packets may be forwarded past all chains but the first ones. */
        boolean flowtables() {
            return others.flowtables() != Flowtables.NONE;
        }

        boolean out() {
            return directions.contains(Direction.OUT);
        }

        boolean arriving() {
            return out() && (forwarding || others.seeArriving());
        }

        boolean input() {
            return directions.contains(Direction.IN) || encapsulation;
        }

        boolean forward() {
            return directions.contains(Direction.FWD);
        }

        boolean leaving() {
            return out() || forward();
        }
    }

    /** Which packets are selected. */
    SelectionRules selection() {
        return selection;
    }

    /** All of table inet but what {@link SelectionRules} writes into its own chains, and what {@link Hooks} lead to. */
    void addInet(Batch batch) {
        batch.addSet(COVERED, SetKey.of(Field.INTERFACE, Field.INTERFACE_NAME))
                .addSet(IPSEC, SetKey.of(Field.PROTOCOL));
        batch.addElements(
                IPSEC,
                IPSEC_PROTOCOLS.stream().map(protocol -> Rule.bytes(protocol)).toList());
        own.addChains(batch);
        addAskInput(batch);
        addAskForward(batch);
        batch.addChain(ENCAPSULATED);
        selection.addChains(batch, extensions.routes());
        nat.addChains(batch);
        addSelected(batch);
        addArrived(batch);
        addLeavingSelected(batch);
    }

    /**
     * What is bound to a device finds a way where routing rules leave it none, and what comes in needs none. Written
     * twice it is there once.
     */
    static void addShut(Batch batch) {
        batch.addChain(SHUT_OUTPUT, new Hook("filter", Hook.OUTPUT, VERY_LAST), Policy.DROP)
                .flushChain(SHUT_OUTPUT)
                .addRule(SHUT_OUTPUT, isLoopback(Meta.OIF).accept());
        batch.addChain(SHUT_INPUT, new Hook("filter", Hook.INPUT, VERY_LAST), Policy.DROP)
                .flushChain(SHUT_INPUT)
                .addRule(SHUT_INPUT, isLoopback(Meta.IIF).accept());
    }

    /** Whether it is there. */
    static boolean isShut(NetfilterSocket netfilter) throws OsException {
        return netfilter.hasChain(Family.INET, StackNames.TABLE, SHUT_OUTPUT);
    }

    static void deleteShut(Batch batch) {
        batch.deleteChain(SHUT_OUTPUT).deleteChain(SHUT_INPUT);
    }

    /** As few rules as can be for what is not selected: what is never to be is looked for behind the sets. */
    void writeHooks(Batch batch, Hooks before, Hooks after) {
        removeHooks(batch, before);
        if (after.out()) {
            addOutput(batch, after);
            if (after.arriving()) {
                addPrerouting(batch, after);
            } else {
                addForwarded(batch);
            }
            addBridged(batch, LEAVING, Hook.POSTROUTING, after);
            addIdentity(batch);
            if (after.others().translate()) {
                nat.add(batch, after.flowtables());
            }
        }
        after.firewalldAt().ifPresent(at -> addSourceCheck(batch, at));
        if (after.input()) {
            addInput(batch, after);
        }
        if (after.forward()) {
            addForward(batch);
            addBridged(batch, FORWARD, Hook.FORWARD, after);
        }
        if (after.leaving()) {
            addLeaving(batch);
        }
    }

    private void removeHooks(Batch batch, Hooks before) {
        if (before.out()) {
            if (before.others().translate()) {
                nat.delete(batch);
            }
            deleteHook(batch, OUTPUT);
            if (before.arriving()) {
                deleteHook(batch, PREROUTING);
                batch.deleteChain(UNMARK);
            } else {
                batch.deleteChain(FORWARDED);
            }
            removeBridged(batch, LEAVING, before);
            removeIdentity(batch);
        }
        if (before.firewalldAt().isPresent()) {
            batch.deleteChain(SOURCE_CHECK).deleteChain(SOURCE_CHECKED);
        }
        if (before.input()) {
            batch.deleteChain(INPUT);
        }
        if (before.forward()) {
            batch.deleteChain(FORWARD);
            removeBridged(batch, FORWARD, before);
        }
        if (before.leaving()) {
            deleteHook(batch, LEAVING);
        }
    }

    /** Where packets of IPv6 have a chain of their own, so that those of IPv4 pass one rule for both families. */
    private static void addHook(Batch batch, String chain, Hook hook) {
        batch.addChain(of(IPV6, chain))
                .addChain(chain, hook, Policy.ACCEPT)
                .addRule(chain, new Rule().is(Meta.FAMILY, Rule.bytes(IPV6)).goTo(of(IPV6, chain)));
    }

    private static void deleteHook(Batch batch, String chain) {
        batch.deleteChain(chain).deleteChain(of(IPV6, chain));
    }

    private static String of(int family, String chain) {
        return family == IPV4 ? chain : chain + "-ip6";
    }

    /** The chain that gives a packet to the queue, but for those that nothing is asked about. */
    static String ask(Direction direction) {
        return direction == Direction.IN ? "ask-in" : "ask-forward";
    }

    private Rule ask() {
        return extensions.nativeQueue()
                ? new Rule().queue(queue)
                : new Rule().target("NFQUEUE", 1, IptablesExtensions.queue(queue));
    }

    private void addOutput(Batch batch, Hooks hooks) {
        addHook(batch, OUTPUT, new Hook("route", Hook.OUTPUT, VERY_LAST));
        for (int family : FAMILIES) {
            String chain = of(family, OUTPUT);
            batch.addRule(chain, clearMark());
            own.acceptByPriority(batch, chain);
            batch.addRule(chain, unreachable(family));
            if (hooks.others().translate()) {
                batch.addRule(chain, new Rule().jump(NatRules.SENT));
            }
            batch.addRule(chain, new Rule().goTo(SelectionRules.sent(family)));
        }
    }

    private void addPrerouting(Batch batch, Hooks hooks) {
        addHook(batch, PREROUTING, new Hook("filter", Hook.PREROUTING, VERY_LAST));
        for (int family : FAMILIES) {
            String chain = of(family, PREROUTING);
            batch.addRule(chain, clearMark());
            if (hooks.others().translate()) {
                batch.addRule(chain, new Rule().jump(NatRules.ARRIVING));
            }
            batch.addRule(chain, new Rule().goTo(SelectionRules.arriving(family)));
        }
        batch.addChain(UNMARK, new Hook("filter", Hook.INPUT, FIRST), Policy.ACCEPT)
                .addRule(UNMARK, clearMark());
    }

    /**
     * A host that forwards nothing has no chain where packets arrive. Should it begin to, what is selected is marked
     * here, still before source NAT, until the bridge has heard of it.
     */
    private void addForwarded(Batch batch) {
        batch.addChain(FORWARDED, new Hook("filter", Hook.FORWARD, FIRST), Policy.ACCEPT)
                .addRule(FORWARDED, clearMark());
        jumpByFamily(batch, FORWARDED, Direction.OUT);
    }

    /** What has arrived and the sets have. */
    private void addArrived(Batch batch) {
        batch.addChain(ARRIVED);
        batch.addRule(ARRIVED, isLoopback(Meta.IIF).setMark(names.userBits(), 0));
        if (extensions.routes()) {
            batch.addRule(ARRIVED, isForThisHost().setMark(names.userBits(), 0));
        }
    }

    /**
     * firewalld's check of sources follows marks, but no rule for the device: of what was opened it finds the way back
     * by the bit, which others' rules see no longer than it takes.
     */
    private void addSourceCheck(Batch batch, int at) {
        batch.addChain(SOURCE_CHECK, new Hook("filter", Hook.PREROUTING, at - 1), Policy.ACCEPT)
                .addRule(SOURCE_CHECK, isOpenedIpv6().setMark(names.userBits(), names.markBit()));
        batch.addChain(SOURCE_CHECKED, new Hook("filter", Hook.PREROUTING, at + 1), Policy.ACCEPT)
                .addRule(SOURCE_CHECKED, isOpenedIpv6().setMark(names.userBits(), 0));
    }

    private Rule isOpenedIpv6() {
        return isTap(Meta.IIF).is(Meta.FAMILY, Rule.bytes(IPV6));
    }

    /** With src_valid_mark a kernel would look for the way back by that bit, and take the packet for a forged one. */
    private Rule isForThisHost() {
        return new Rule()
                .is(Meta.FAMILY, Rule.bytes(IPV4))
                .loadDestinationType(0)
                .compare(0, Comparison.UNEQUAL, Rule.nativeInt(UNICAST));
    }

    static void jumpByFamily(Batch batch, String from, Direction direction) {
        for (int family : FAMILIES) {
            batch.addRule(
                    from,
                    new Rule()
                            .is(Meta.FAMILY, Rule.bytes(family))
                            .jump(SelectionRules.chain(new WideScope(direction, family))));
        }
    }

    /**
     * What the host sends and the sets have. Which device a multicast leaves by its sender says, and no route: it is
     * marked where it has got there.
     */
    private void addSelected(Batch batch) {
        batch.addChain(SELECTED);
        own.acceptByGroup(batch, SELECTED);
        batch.addRule(SELECTED, isLoopback(Meta.OIF).setMark(names.userBits(), 0));
        batch.addRule(
                SELECTED,
                toCovered()
                        .is(Meta.FAMILY, Rule.bytes(IPV4))
                        .has(Header.NETWORK, 16, Comparison.AT_LEAST, Rule.bytes(224, 0, 0, 0))
                        .setMark(names.userBits(), 0));
        batch.addRule(
                SELECTED,
                toCovered()
                        .is(Meta.FAMILY, Rule.bytes(IPV6))
                        .is(Header.NETWORK, 24, Rule.bytes(0xff))
                        .setMark(names.userBits(), 0));
    }

    private void addInput(Batch batch, Hooks hooks) {
        batch.addChain(INPUT, new Hook("filter", Hook.INPUT, VERY_LAST), Policy.ACCEPT);
        // There is nothing to ask about what the bridge opens, and much of it.
        batch.addRule(
                INPUT, new Rule().is(Meta.PROTOCOL, Rule.bytes(IpProtocol.ESP)).accept());
        if (hooks.encapsulation()) {
            batch.addRule(INPUT, new Rule().is(Meta.PROTOCOL, Rule.bytes(UDP)).jump(ENCAPSULATED));
        }
        if (hooks.directions().contains(Direction.IN)) {
            goByFamily(batch, INPUT, Direction.IN);
        }
    }

    private static void goByFamily(Batch batch, String from, Direction direction) {
        batch.addRule(
                from,
                new Rule()
                        .is(Meta.FAMILY, Rule.bytes(IPV6))
                        .goTo(SelectionRules.chain(new WideScope(direction, IPV6))));
        batch.addRule(from, new Rule().goTo(SelectionRules.chain(new WideScope(direction, IPV4))));
    }

    private void addAskInput(Batch batch) {
        String chain = ask(Direction.IN);
        batch.addChain(chain);
        batch.addRule(chain, isLoopback(Meta.IIF).accept());
        batch.addRule(chain, isTap(Meta.IIF).accept());
        batch.addRule(chain, isOpened().accept());
        batch.addRule(chain, new Rule().load(Meta.PROTOCOL, 0).lookup(IPSEC, 0).accept());
        for (int tunnel : List.of(IPIP, IPV6_IN_IP)) {
            batch.addRule(
                    chain, new Rule().is(Meta.PROTOCOL, Rule.bytes(tunnel)).accept());
        }
        batch.addRule(chain, ask());
    }

    private void addAskForward(Batch batch) {
        String chain = ask(Direction.FWD);
        batch.addChain(chain);
        batch.addRule(chain, isTap(Meta.IIF).accept());
        acceptBridged(batch, chain);
        batch.addRule(chain, ask());
    }

    private void addForward(Batch batch) {
        batch.addChain(FORWARD, new Hook("filter", Hook.FORWARD, VERY_LAST), Policy.ACCEPT);
        goByFamily(batch, FORWARD, Direction.FWD);
    }

    /** Source NAT may have made another packet of it: what is not marked yet is looked at once more. */
    private void addLeaving(Batch batch) {
        addHook(batch, LEAVING, new Hook("filter", Hook.POSTROUTING, VERY_LAST));
        for (int family : FAMILIES) {
            String chain = of(family, LEAVING);
            batch.addRule(chain, hasPriority().jump(LEAVING_PRIORITY));
            batch.addRule(chain, isMarked().goTo(LEAVING_SELECTED));
            batch.addRule(chain, new Rule().goTo(SelectionRules.leaving(family)));
        }
    }

    private static Rule hasPriority() {
        return new Rule().load(Meta.PRIORITY, 0).compare(0, Comparison.UNEQUAL, Rule.nativeInt(0));
    }

    private void addLeavingSelected(Batch batch) {
        batch.addChain(LEAVING_PRIORITY);
        acceptBridged(batch, LEAVING_PRIORITY);
        own.acceptLeaving(batch, LEAVING_PRIORITY);
        batch.addChain(LEAVING_SELECTED);
        own.acceptSelected(batch, LEAVING_SELECTED);
        batch.addRule(
                LEAVING_SELECTED,
                isLoopback(Meta.OIF).setMark(names.userBits(), 0).accept());
        batch.addRule(LEAVING_SELECTED, isTap(Meta.OIF).accept());
        batch.addRule(LEAVING_SELECTED, isCovered(new Rule()).counter().accept());
        batch.addRule(LEAVING_SELECTED, new Rule().counter().drop());
    }

    /** Without a socket for them the kernel answers ESP, AH and IPComp with "protocol unreachable". */
    private static Rule unreachable(int family) {
        return family == IPV4
                ? unreachable(IPV4, ICMP, Rule.bytes(3, 2), 8 + 9)
                : unreachable(IPV6, ICMPV6, Rule.bytes(4, 1), 8 + 6);
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

    /** The tables of {@link #addBridged}, which hold nothing yet. */
    void addBridgedTables(Batch batch) {
        if (extensions.bridgeNetfilter()) {
            BRIDGED_FAMILIES.forEach(family -> batch.in(family).addTable(extensions.tableFlags()));
            batch.in(Family.INET);
        }
    }

    /**
     * Frames between two ports of a bridge come here where br_netfilter is loaded, and are no business of ours: they
     * get a priority that says so. The match for them is one of iptables, and knows the families ip and ip6 alone.
     */
    private void addBridged(Batch batch, String chain, int hook, Hooks hooks) {
        if (!marksBridged(hooks)) {
            return;
        }
        for (Family family : BRIDGED_FAMILIES) {
            batch.in(family).addChain(chain, new Hook("filter", hook, VERY_LAST - 1), Policy.ACCEPT);
            batch.addRule(chain, isBridged().immediate(0, Rule.nativeInt(0)).set(Meta.PRIORITY, 0));
            batch.addRule(
                    chain,
                    (hook == Hook.FORWARD ? new Rule() : isMarked())
                            .match("physdev", 0, IptablesExtensions.isBridged())
                            .immediate(0, Rule.nativeInt(StackNames.BRIDGED))
                            .set(Meta.PRIORITY, 0));
        }
        batch.in(Family.INET);
    }

    private void acceptBridged(Batch batch, String chain) {
        if (extensions.bridgeNetfilter()) {
            Rule bridged = isBridged();
            if (chain.equals(LEAVING_PRIORITY)) {
                bridged.immediate(0, Rule.nativeInt(0)).set(Meta.PRIORITY, 0).setMark(names.userBits(), 0);
            }
            batch.addRule(chain, bridged.accept());
        }
    }

    private static Rule isBridged() {
        return new Rule().is(Meta.PRIORITY, Rule.nativeInt(StackNames.BRIDGED));
    }

    private void removeBridged(Batch batch, String chain, Hooks hooks) {
        if (marksBridged(hooks)) {
            BRIDGED_FAMILIES.forEach(family -> batch.in(family).deleteChain(chain));
            batch.in(Family.INET);
        }
    }

    private boolean marksBridged(Hooks hooks) {
        return extensions.bridgeNetfilter() && hooks.bridging();
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
            // What comes from the bridge may be ESP in UDP that it has given back: else that went round for ever.
            batch.addRule(ENCAPSULATED, isTap(Meta.IIF).accept());
        }
        ports.forEach((port, own) -> {
            batch.addRule(ENCAPSULATED, EncapsulationRules.keepalive(port));
            EncapsulationRules.inbound(port, own).forEach(rule -> batch.addRule(ENCAPSULATED, rule));
            EncapsulationRules.outbound(port, own).forEach(rule -> batch.addRule(ENCAPSULATE, rule));
        });
    }

    /**
     * Policies are about a packet as it was before others translate its source. A packet that is to be queued where
     * nobody reads the queue, and may pass then, goes on behind all chains that do so. Unlike a translation to its own
     * address that does not switch connection tracking on.
     */
    private void addIdentity(Batch batch) {
        if (extensions.nat()) {
            Rule selected = isMarked().counter();
            batch.addChain(IDENTITY, new Hook("nat", Hook.POSTROUTING, BEFORE_SOURCE_NAT), Policy.ACCEPT)
                    .addRule(
                            IDENTITY,
                            extensions.nativeQueue()
                                    ? selected.queueOrPass(StackNames.NOBODYS_QUEUE)
                                    : selected.target(
                                            "NFQUEUE", 3, IptablesExtensions.queueOrPass(StackNames.NOBODYS_QUEUE)));
        }
    }

    private void removeIdentity(Batch batch) {
        if (extensions.nat()) {
            batch.deleteChain(IDENTITY);
        }
    }

    /** Table netdev anew, as a chain goes with its device, and in table inet which devices it has a chain for. */
    void replaceNetdev(Batch batch, Collection<CoveredDevice> devices) {
        batch.in(Family.NETDEV).deleteTable();
        batch.in(Family.INET).flushSet(COVERED);
        addNetdev(batch, devices);
    }

    void addNetdev(Batch batch, Collection<CoveredDevice> devices) {
        batch.in(Family.NETDEV).addTable(extensions.tableFlags());
        own.addCopied(batch);
        // Filters of tc have what was opened come in by another device. Whoever binds to this device, or routes there,
        // means to be protected; and what comes from here, and is led back by a route, would go round for ever.
        batch.addChain(TAP_EGRESS_UNMARKED)
                .addRule(TAP_EGRESS_UNMARKED, hasArrival(isOpened()).counter().accept())
                .addRule(TAP_EGRESS_UNMARKED, new Rule().counter().drop());
        batch.addChain(TAP_EGRESS, new Hook("filter", Hook.EGRESS, 0, names.tap()), Policy.ACCEPT)
                .addRule(
                        TAP_EGRESS,
                        new Rule().hasBits(Meta.MARK, names.markBit(), false).goTo(TAP_EGRESS_UNMARKED))
                .addRule(TAP_EGRESS, appendMac(new Rule(), Meta.MARK, 0, StackNames.MARK_MAC))
                .addRule(TAP_EGRESS, storePrefix(StackNames.UNANSWERED, StackSigns.UNANSWERED_MARK_MAC))
                .addRule(TAP_EGRESS, storePrefix(StackNames.TRANSLATED, StackSigns.TRANSLATED_MARK_MAC));
        batch.addChain(TAP_INGRESS, new Hook("filter", Hook.INGRESS, 0, names.tap()), Policy.ACCEPT)
                .addRule(TAP_INGRESS, new Rule().load(Header.LINK, 8, 4, 0).set(Meta.MARK, 0))
                .addRule(TAP_INGRESS, toArrival());
        for (CoveredDevice device : devices) {
            addEgress(batch, device);
            if (device.isVrf()) {
                batch.addRule(TAP_INGRESS, toVrf(device));
            }
        }
        batch.in(Family.INET);
        own.know(batch, devices);
        batch.addElements(
                COVERED,
                devices.stream()
                        .filter(CoveredDevice::isEthernet)
                        .map(CoveredDevice::key)
                        .toList());
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
        Rule rule = isMarked().counter();
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

    private static Rule isOpened() {
        return new Rule().is(Meta.PRIORITY, Rule.nativeInt(StackSigns.OPENED_PRIORITY));
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

    private Rule isMarked() {
        return new Rule().hasBits(Meta.MARK, names.markBit(), true);
    }

    private Rule clearMark() {
        return isMarked().setMark(names.userBits(), 0);
    }

    static Rule isLoopback(Meta device) {
        return new Rule().is(device, Rule.nativeInt(LOOPBACK));
    }

    private Rule isTap(Meta device) {
        return new Rule().is(device, Rule.nativeInt(tapIndex));
    }

    private Rule toCovered() {
        return isCovered(isMarked());
    }

    static Rule isCovered(Rule rule) {
        return leavesBy(rule, COVERED);
    }

    /** Holds for devices of a set. */
    static Rule leavesBy(Rule rule, String set) {
        return rule.load(Meta.OIF, 0).load(Meta.OIF_NAME, 1).lookup(set, 0);
    }
}
