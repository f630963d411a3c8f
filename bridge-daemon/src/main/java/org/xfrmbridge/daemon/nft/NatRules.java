package org.xfrmbridge.daemon.nft;

import java.util.List;
import org.xfrmbridge.daemon.nft.Batch.Hook;
import org.xfrmbridge.daemon.nft.Batch.Policy;
import org.xfrmbridge.daemon.nft.Rule.Comparison;
import org.xfrmbridge.daemon.nft.Rule.Connection;
import org.xfrmbridge.daemon.nft.Rule.Header;
import org.xfrmbridge.daemon.nft.Rule.Meta;
import org.xfrmbridge.daemon.os.StackSigns;
import org.xfrmbridge.xfrm.Direction;

/**
 * Policies beside others' source NAT. What is selected is kept from it; if it passes all the same, the bridge has its
 * connection forgotten, and others translate it when it leaves for good. The source that a translated connection began
 * with is put back before the bridge sees it. What NAT makes of what passes is selected once more. All this switches
 * connection tracking on.
 */
final class NatRules {
    /** Entered from the chains that mark. */
    static final String ARRIVING = "nat-arriving";

    static final String SENT = "nat-sent";

    private static final String RESELECT = "nat-reselect";
    private static final String KEPT = "nat-kept";
    private static final String SOURCE = "source";
    private static final String TRANSLATED = "translated";
    private static final String UNTRACKED = "untracked";

    private static final int IPV4 = 2;
    private static final int IPV6 = 10;
    private static final int ICMP = 1;
    private static final int TCP = 6;
    private static final int UDP = 17;
    private static final int ICMPV6 = 58;

    private static final int BEFORE_IDENTITY = 80;
    /** Connection tracking is at -200, rules without it at -300. */
    private static final int BEFORE_TRACKING = -310;
    /** Before what decides about bridged frames, and the last look. */
    private static final int BEHIND_SOURCE_NAT = 2147482998;

    private static final int RELATED = 1 << 2;
    private static final int ANSWERED = 1 << 1;
    private static final int HAS_SOURCE_NAT = 1 << 4;
    private static final int HAS_DESTINATION_NAT = 1 << 5;
    private static final byte[] ORIGINAL = Rule.bytes(0);
    private static final byte[] REPLY = Rule.bytes(1);

    private final StackNames names;
    private final OwnPackets own;
    private final boolean knowsRoutes;

    /** @param knowsRoutes whether rules can ask for the device that a packet would leave by */
    NatRules(StackNames names, OwnPackets own, boolean knowsRoutes) {
        this.names = names;
        this.own = own;
        this.knowsRoutes = knowsRoutes;
    }

    void addChains(Batch batch) {
        batch.addChain(ARRIVING).addChain(SENT).addChain(RESELECT);
        Conditions.jumpByFamily(batch, RESELECT, Direction.OUT);
    }

    /** @param flowtables whether others forward flows past all chains */
    void add(Batch batch, boolean flowtables) {
        batch.addChain(UNTRACKED, new Hook("filter", Hook.OUTPUT, BEFORE_TRACKING), Policy.ACCEPT);
        own.doNotTrack(batch, UNTRACKED, StackSigns.TRANSLATED_PRIORITY);
        addKept(batch, flowtables);
        addTranslated(batch);
        addSource(batch);
    }

    /**
     * A masqueraded connection ends if it leaves by another device, be it the TAP: it is marked where it leaves. But
     * where it would be in a flowtable by then it rather ends.
     */
    private void addKept(Batch batch, boolean flowtables) {
        if (knowsRoutes && !flowtables) {
            batch.addRule(
                    ARRIVING,
                    changed(ORIGINAL, HAS_SOURCE_NAT)
                            .loadOutputDevice(0)
                            .lookup(Conditions.COVERED, 0)
                            .accept());
        }
        batch.addRule(
                SENT, Conditions.isCovered(changed(ORIGINAL, HAS_SOURCE_NAT)).accept());
        batch.addChain(KEPT, new Hook("filter", Hook.POSTROUTING, BEFORE_IDENTITY), Policy.ACCEPT);
        own.accept(batch, KEPT);
        batch.addRule(KEPT, new Rule().hasBits(Meta.MARK, names.markBit(), true).accept());
        batch.addRule(KEPT, changed(ORIGINAL, HAS_SOURCE_NAT).jump(RESELECT));
    }

    void delete(Batch batch) {
        batch.flushChain(ARRIVING).flushChain(SENT);
        for (String chain : List.of(KEPT, UNTRACKED, SOURCE, TRANSLATED)) {
            batch.flushChain(chain).deleteChain(chain);
        }
    }

    /** What was not selected before NAT, or passed: a kernel looks again, as what it is now. */
    private void addTranslated(Batch batch) {
        batch.addChain(TRANSLATED);
        batch.addRule(
                TRANSLATED,
                new Rule()
                        .is(Meta.PRIORITY, Rule.nativeInt(StackSigns.PASSED_PRIORITY))
                        .immediate(0, Rule.nativeInt(0))
                        .set(Meta.PRIORITY, 0));
        batch.addRule(TRANSLATED, new Rule().jump(RESELECT));
        batch.addRule(TRANSLATED, sign(new Rule().hasBits(Meta.MARK, names.markBit(), true), StackNames.TRANSLATED));
    }

    private void addSource(Batch batch) {
        batch.addChain(SOURCE, new Hook("filter", Hook.POSTROUTING, BEHIND_SOURCE_NAT), Policy.ACCEPT);
        own.acceptOf(batch, SOURCE, StackSigns.BYPASS_PRIORITY);
        own.acceptOf(batch, SOURCE, StackSigns.TRANSLATED_PRIORITY);
        // An ICMP error about a connection has addresses of its own.
        batch.addRule(
                SOURCE, new Rule().hasBits(Connection.STATE, RELATED, true).accept());
        batch.addRule(
                SOURCE,
                new Rule()
                        .hasBits(Meta.MARK, names.markBit(), false)
                        .hasBits(Connection.STATUS, HAS_SOURCE_NAT | HAS_DESTINATION_NAT, true)
                        .goTo(TRANSLATED));
        batch.addRule(
                SOURCE, new Rule().hasBits(Meta.MARK, names.markBit(), false).accept());
        batch.addRule(
                SOURCE,
                sign(
                        new Rule().hasBits(Connection.STATUS, ANSWERED | HAS_SOURCE_NAT | HAS_DESTINATION_NAT, false),
                        StackNames.UNANSWERED));
        addRestored(batch);
        batch.addRule(SOURCE, sign(changed(ORIGINAL, HAS_DESTINATION_NAT), StackNames.TRANSLATED));
        batch.addRule(SOURCE, sign(changed(REPLY, HAS_SOURCE_NAT | HAS_DESTINATION_NAT), StackNames.TRANSLATED));
    }

    /** The source that a connection began with. */
    private static void addRestored(Batch batch) {
        batch.addRule(
                SOURCE,
                changed(ORIGINAL, HAS_SOURCE_NAT)
                        .is(Meta.FAMILY, Rule.bytes(IPV4))
                        .load(Connection.SOURCE_IPV4, true, 0)
                        .storeAddress(12, 4, 0, 10));
        batch.addRule(
                SOURCE,
                changed(ORIGINAL, HAS_SOURCE_NAT)
                        .is(Meta.FAMILY, Rule.bytes(IPV6))
                        .load(Connection.SOURCE_IPV6, true, 0)
                        .storeAddress(8, 16, 0, -1));
        batch.addRule(SOURCE, restoredPort(TCP, 0, 16));
        batch.addRule(SOURCE, restoredPort(UDP, 0, 6));
        batch.addRule(SOURCE, restoredPort(ICMP, 4, 2));
        batch.addRule(SOURCE, restoredPort(ICMPV6, 4, 2));
    }

    private static Rule restoredPort(int protocol, int at, int checksumAt) {
        Rule rule = changed(ORIGINAL, HAS_SOURCE_NAT).is(Meta.PROTOCOL, Rule.bytes(protocol));
        if (protocol == UDP) {
            rule.has(Header.TRANSPORT, checksumAt, Comparison.UNEQUAL, new byte[2]);
        }
        return rule.load(Connection.SOURCE_PORT, true, 0).storeSummed(Header.TRANSPORT, at, 2, 0, checksumAt);
    }

    private static Rule changed(byte[] direction, int status) {
        return new Rule()
                .load(Connection.DIRECTION, false, 0)
                .compare(0, Comparison.EQUAL, direction)
                .hasBits(Connection.STATUS, status, true);
    }

    private static Rule sign(Rule rule, int priority) {
        return rule.immediate(0, Rule.nativeInt(priority)).set(Meta.PRIORITY, 0);
    }
}
