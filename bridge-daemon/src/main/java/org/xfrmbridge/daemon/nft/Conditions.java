package org.xfrmbridge.daemon.nft;

import java.util.List;
import org.xfrmbridge.daemon.nft.Rule.Meta;
import org.xfrmbridge.daemon.nft.SetKey.Field;
import org.xfrmbridge.daemon.os.StackSigns;
import org.xfrmbridge.daemon.selection.WideScope;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;

/** What the chains of the host's stack ask of a packet, each in more than one place. */
final class Conditions {
    static final int IPV4 = AddressFamily.INET;
    static final int IPV6 = AddressFamily.INET6;
    static final List<Integer> FAMILIES = List.of(IPV4, IPV6);

    /** Before and behind all others, with room for who must be earlier or later still. */
    static final int FIRST = -2147483000;

    static final int VERY_LAST = 2147483000;

    /** The set of devices that send to the TAP what is marked. */
    static final String COVERED = "covered";

    private static final String IPSEC = "ipsec-protocols";
    private static final List<Integer> IPSEC_PROTOCOLS = List.of(50, 51, 108);
    private static final int LOOPBACK = 1;

    private final StackNames names;
    private final int tapIndex;

    Conditions(StackNames names, int tapIndex) {
        this.names = names;
        this.tapIndex = tapIndex;
    }

    /** Of {@code table inet}. */
    static void addSets(Batch batch) {
        batch.addSet(COVERED, SetKey.of(Field.INTERFACE, Field.INTERFACE_NAME))
                .addSet(IPSEC, SetKey.of(Field.PROTOCOL));
        batch.addElements(
                IPSEC,
                IPSEC_PROTOCOLS.stream().map(protocol -> Rule.bytes(protocol)).toList());
    }

    /** Whether the protocol in a register is ESP, AH or IPComp. */
    static Rule isIpsec(Rule loaded) {
        return loaded.lookup(IPSEC, 0);
    }

    Rule isMarked() {
        return new Rule().hasBits(Meta.MARK, names.markBit(), true);
    }

    Rule isUnmarked() {
        return new Rule().hasBits(Meta.MARK, names.markBit(), false);
    }

    Rule clearMark() {
        return clearMark(isMarked());
    }

    Rule clearMark(Rule rule) {
        return rule.setMark(names.userBits(), 0);
    }

    Rule setMark(Rule rule) {
        return rule.setMark(names.userBits(), names.markBit());
    }

    static Rule isLoopback(Meta device) {
        return new Rule().is(device, Rule.nativeInt(LOOPBACK));
    }

    Rule isTap(Meta device) {
        return new Rule().is(device, Rule.nativeInt(tapIndex));
    }

    static Rule isCovered(Rule rule) {
        return leavesBy(rule, COVERED);
    }

    /** Holds for devices of a set. */
    static Rule leavesBy(Rule rule, String set) {
        return rule.load(Meta.OIF, 0).load(Meta.OIF_NAME, 1).lookup(set, 0);
    }

    /** Whether it was opened, and comes in by the device that it would have come by in the clear. */
    static Rule isOpened() {
        return new Rule().is(Meta.PRIORITY, Rule.nativeInt(StackSigns.OPENED_PRIORITY));
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

    /** Where packets of IPv6 have a chain of their own, so that those of IPv4 pass one rule for both families. */
    static void addHook(Batch batch, String chain, Batch.Hook hook) {
        batch.addChain(of(IPV6, chain))
                .addChain(chain, hook, Batch.Policy.ACCEPT)
                .addRule(chain, new Rule().is(Meta.FAMILY, Rule.bytes(IPV6)).goTo(of(IPV6, chain)));
    }

    static void deleteHook(Batch batch, String chain) {
        batch.deleteChain(chain).deleteChain(of(IPV6, chain));
    }

    static String of(int family, String chain) {
        return family == IPV4 ? chain : chain + "-ip6";
    }
}
