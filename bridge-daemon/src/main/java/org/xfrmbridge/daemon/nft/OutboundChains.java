package org.xfrmbridge.daemon.nft;

import static org.xfrmbridge.daemon.nft.Conditions.FAMILIES;
import static org.xfrmbridge.daemon.nft.Conditions.FIRST;
import static org.xfrmbridge.daemon.nft.Conditions.IPV4;
import static org.xfrmbridge.daemon.nft.Conditions.IPV6;
import static org.xfrmbridge.daemon.nft.Conditions.VERY_LAST;

import org.xfrmbridge.daemon.nft.Batch.Hook;
import org.xfrmbridge.daemon.nft.Batch.Policy;
import org.xfrmbridge.daemon.nft.Rule.Comparison;
import org.xfrmbridge.daemon.nft.Rule.Header;
import org.xfrmbridge.daemon.nft.Rule.Meta;
import org.xfrmbridge.daemon.nft.StackChains.Extensions;
import org.xfrmbridge.xfrm.Direction;

/**
 * What goes out, in the order in which a packet meets the chains: marked at output or prerouting, so that routing leads
 * to the TAP, kept from others' source NAT, and dropped where it leaves if no device can send it to the TAP.
 */
final class OutboundChains {
    private static final String OUTPUT = "output";
    private static final String PREROUTING = "prerouting";
    static final String ARRIVED = "arrived";
    private static final String FORWARDED = "forwarded";
    private static final String UNMARK = "input-unmark";
    private static final String LEAVING = "leaving";
    private static final String LEAVING_PRIORITY = "leaving-priority";
    static final String LEAVING_SELECTED = "leaving-selected";
    static final String SELECTED = "selected";
    private static final String IDENTITY = "identity";

    /** Others' source NAT is at 100. */
    private static final int BEFORE_SOURCE_NAT = 90;

    /** RTN_UNICAST: an address that is neither of this host nor of many. */
    private static final int UNICAST = 1;

    private static final int ICMP = 1;
    private static final int ICMPV6 = 58;

    private final Conditions conditions;
    private final BridgedFrames bridged;
    private final OwnPackets own;
    private final NatRules nat;
    private final Extensions extensions;

    OutboundChains(Conditions conditions, BridgedFrames bridged, OwnPackets own, NatRules nat, Extensions extensions) {
        this.conditions = conditions;
        this.bridged = bridged;
        this.own = own;
        this.nat = nat;
        this.extensions = extensions;
    }

    /** Chains that others lead to. */
    void addChains(Batch batch) {
        addSelected(batch);
        addArrived(batch);
        addLeavingSelected(batch);
    }

    void add(Batch batch, Hooks hooks) {
        if (hooks.out()) {
            addOutput(batch, hooks);
            if (hooks.arriving()) {
                addPrerouting(batch, hooks);
            } else {
                addForwarded(batch);
            }
            bridged.add(batch, LEAVING, Hook.POSTROUTING, hooks);
            addIdentity(batch);
            if (hooks.others().translate()) {
                nat.add(batch, hooks.flowtables());
            }
        }
        if (hooks.leaving()) {
            addLeaving(batch);
        }
    }

    void delete(Batch batch, Hooks hooks) {
        if (hooks.out()) {
            if (hooks.others().translate()) {
                nat.delete(batch);
            }
            Conditions.deleteHook(batch, OUTPUT);
            if (hooks.arriving()) {
                Conditions.deleteHook(batch, PREROUTING);
                batch.deleteChain(UNMARK);
            } else {
                batch.deleteChain(FORWARDED);
            }
            bridged.delete(batch, LEAVING, hooks);
            deleteIdentity(batch);
        }
        if (hooks.leaving()) {
            Conditions.deleteHook(batch, LEAVING);
        }
    }

    private void addOutput(Batch batch, Hooks hooks) {
        Conditions.addHook(batch, OUTPUT, new Hook("route", Hook.OUTPUT, VERY_LAST));
        for (int family : FAMILIES) {
            String chain = Conditions.of(family, OUTPUT);
            batch.addRule(chain, conditions.clearMark());
            own.acceptByPriority(batch, chain);
            batch.addRule(chain, unreachable(family));
            if (hooks.others().translate()) {
                batch.addRule(chain, new Rule().jump(NatRules.SENT));
            }
            batch.addRule(chain, new Rule().goTo(SelectionRules.sent(family)));
        }
    }

    /** Without a socket for them the kernel answers ESP, AH and IPComp with "protocol unreachable". */
    private static Rule unreachable(int family) {
        return family == IPV4
                ? unreachable(IPV4, ICMP, Rule.bytes(3, 2), 8 + 9)
                : unreachable(IPV6, ICMPV6, Rule.bytes(4, 1), 8 + 6);
    }

    private static Rule unreachable(int family, int protocol, byte[] typeAndCode, int protocolAt) {
        return Conditions.isIpsec(new Rule()
                        .is(Meta.PROTOCOL, Rule.bytes(protocol))
                        .is(Meta.FAMILY, Rule.bytes(family))
                        .is(Header.TRANSPORT, 0, typeAndCode)
                        .load(Header.TRANSPORT, protocolAt, 1, 0))
                .counter()
                .drop();
    }

    private void addPrerouting(Batch batch, Hooks hooks) {
        Conditions.addHook(batch, PREROUTING, new Hook("filter", Hook.PREROUTING, VERY_LAST));
        for (int family : FAMILIES) {
            String chain = Conditions.of(family, PREROUTING);
            batch.addRule(chain, conditions.clearMark());
            if (hooks.others().translate()) {
                batch.addRule(chain, new Rule().jump(NatRules.ARRIVING));
            }
            batch.addRule(chain, new Rule().goTo(SelectionRules.arriving(family)));
        }
        batch.addChain(UNMARK, new Hook("filter", Hook.INPUT, FIRST), Policy.ACCEPT)
                .addRule(UNMARK, conditions.clearMark());
    }

    /**
     * A host that forwards nothing has no chain where packets arrive. Should it begin to, what is selected is marked
     * here, still before source NAT, until the bridge has heard of it.
     */
    private void addForwarded(Batch batch) {
        batch.addChain(FORWARDED, new Hook("filter", Hook.FORWARD, FIRST), Policy.ACCEPT)
                .addRule(FORWARDED, conditions.clearMark());
        Conditions.jumpByFamily(batch, FORWARDED, Direction.OUT);
    }

    /** What has arrived and the sets have. */
    private void addArrived(Batch batch) {
        batch.addChain(ARRIVED);
        batch.addRule(ARRIVED, conditions.clearMark(Conditions.isLoopback(Meta.IIF)));
        if (extensions.routes()) {
            batch.addRule(ARRIVED, conditions.clearMark(isForThisHost()));
        }
    }

    /** With src_valid_mark a kernel would look for the way back by that bit, and take the packet for a forged one. */
    private static Rule isForThisHost() {
        return new Rule()
                .is(Meta.FAMILY, Rule.bytes(IPV4))
                .loadDestinationType(0)
                .compare(0, Comparison.UNEQUAL, Rule.nativeInt(UNICAST));
    }

    /**
     * What the host sends and the sets have. Which device a multicast leaves by its sender says, and no route: it is
     * marked where it has got there.
     */
    private void addSelected(Batch batch) {
        batch.addChain(SELECTED);
        own.acceptByGroup(batch, SELECTED);
        batch.addRule(SELECTED, conditions.clearMark(Conditions.isLoopback(Meta.OIF)));
        batch.addRule(
                SELECTED,
                conditions.clearMark(Conditions.isCovered(conditions.isMarked())
                        .is(Meta.FAMILY, Rule.bytes(IPV4))
                        .has(Header.NETWORK, 16, Comparison.AT_LEAST, Rule.bytes(224, 0, 0, 0))));
        batch.addRule(
                SELECTED,
                conditions.clearMark(Conditions.isCovered(conditions.isMarked())
                        .is(Meta.FAMILY, Rule.bytes(IPV6))
                        .is(Header.NETWORK, 24, Rule.bytes(0xff))));
    }

    /**
     * Policies are about a packet as it was before others translate its source. A packet that is to be queued where
     * nobody reads the queue, and may pass then, goes on behind all chains that do so. Unlike a translation to its own
     * address that does not switch connection tracking on.
     */
    private void addIdentity(Batch batch) {
        if (extensions.nat()) {
            Rule selected = conditions.isMarked().counter();
            batch.addChain(IDENTITY, new Hook("nat", Hook.POSTROUTING, BEFORE_SOURCE_NAT), Policy.ACCEPT)
                    .addRule(
                            IDENTITY,
                            extensions.nativeQueue()
                                    ? selected.queueOrPass(StackNames.NOBODYS_QUEUE)
                                    : selected.target(
                                            "NFQUEUE", 3, IptablesExtensions.queueOrPass(StackNames.NOBODYS_QUEUE)));
        }
    }

    private void deleteIdentity(Batch batch) {
        if (extensions.nat()) {
            batch.deleteChain(IDENTITY);
        }
    }

    /** Source NAT may have made another packet of it: what is not marked yet is looked at once more. */
    private void addLeaving(Batch batch) {
        Conditions.addHook(batch, LEAVING, new Hook("filter", Hook.POSTROUTING, VERY_LAST));
        for (int family : FAMILIES) {
            String chain = Conditions.of(family, LEAVING);
            batch.addRule(chain, hasPriority().jump(LEAVING_PRIORITY));
            batch.addRule(chain, conditions.isMarked().goTo(LEAVING_SELECTED));
            batch.addRule(chain, new Rule().goTo(SelectionRules.leaving(family)));
        }
    }

    private static Rule hasPriority() {
        return new Rule().load(Meta.PRIORITY, 0).compare(0, Comparison.UNEQUAL, Rule.nativeInt(0));
    }

    private void addLeavingSelected(Batch batch) {
        batch.addChain(LEAVING_PRIORITY);
        bridged.acceptLeaving(batch, LEAVING_PRIORITY);
        own.acceptLeaving(batch, LEAVING_PRIORITY);
        batch.addChain(LEAVING_SELECTED);
        own.acceptSelected(batch, LEAVING_SELECTED);
        batch.addRule(
                LEAVING_SELECTED,
                conditions.clearMark(Conditions.isLoopback(Meta.OIF)).accept());
        batch.addRule(LEAVING_SELECTED, conditions.isTap(Meta.OIF).accept());
        batch.addRule(
                LEAVING_SELECTED, Conditions.isCovered(new Rule()).counter().accept());
        batch.addRule(LEAVING_SELECTED, new Rule().counter().drop());
    }
}
