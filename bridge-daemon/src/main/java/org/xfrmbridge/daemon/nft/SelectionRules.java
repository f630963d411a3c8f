package org.xfrmbridge.daemon.nft;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.xfrmbridge.daemon.nft.Batch.Hook;
import org.xfrmbridge.daemon.nft.Batch.Policy;
import org.xfrmbridge.daemon.nft.Rule.Comparison;
import org.xfrmbridge.daemon.nft.Rule.Header;
import org.xfrmbridge.daemon.nft.Rule.Meta;
import org.xfrmbridge.daemon.selection.Element;
import org.xfrmbridge.daemon.selection.Level;
import org.xfrmbridge.daemon.selection.SelectionChange;
import org.xfrmbridge.daemon.selection.WideScope;
import org.xfrmbridge.net.Icmp;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * The chains that say which packets are selected: one for each direction and family. What is selected outbound is
 * marked; what came in the clear is given to the queue. Where each packet passes, a chain of its own says where what it
 * selects goes on, as all others end there, without a look at the mark.
 *
 * <p>Where all is selected, what is forwarded and in no set is marked only after others' rules have seen the device
 * that it would leave by, and is given to the bridge there. What has no such device is marked when it arrives; so is
 * all if others have a flowtable, which takes up what their rules see.
 */
final class SelectionRules {
    private static final int FRAGMENT_FIELD_AT = 6;
    /** Offset and "more fragments", not "don't fragment". */
    private static final byte[] FRAGMENT_BITS = {0x3f, (byte) 0xff};

    private static final String UNROUTED = "select-unrouted";
    private static final String LATE = "select-late";
    /** Before the source NAT that keeps selected packets as they are. */
    private static final int LATE_PRIORITY = 80;

    private final StackNames names;
    private final OwnPackets own;

    SelectionRules(StackNames names, OwnPackets own) {
        this.names = names;
        this.own = own;
    }

    private static String chain(Direction direction) {
        return switch (direction) {
            case OUT -> "select";
            case IN -> "check-in";
            case FWD -> "check-forward";
        };
    }

    static String chain(WideScope scope) {
        return chain(scope.direction()) + suffix(scope.family());
    }

    private static byte[] number(int family) {
        return Rule.bytes(family);
    }

    private static WideScope scope(Level level) {
        return new WideScope(level.direction(), level.family());
    }

    /** What arrives from elsewhere is selected by this, or by {@link #LATE} when it leaves. */
    static String arriving(int family) {
        return "select-arriving" + suffix(family);
    }

    /** What the host sends. */
    static String sent(int family) {
        return "select-sent" + suffix(family);
    }

    /** What leaves, whoever sends it. */
    static String leaving(int family) {
        return "select-leaving" + suffix(family);
    }

    /** What the sets have, where all is selected. */
    private static String known(int family) {
        return "select-known" + suffix(family);
    }

    private static String suffix(int family) {
        return family == AddressFamily.INET ? "-ip" : "-ip6";
    }

    /**
     * Chains that select nothing.
     *
     * @param knowsRoutes whether rules can ask for the device that a packet would leave by
     */
    void addChains(Batch batch, boolean knowsRoutes) {
        batch.addChain(UNROUTED);
        if (knowsRoutes) {
            batch.addRule(
                    UNROUTED,
                    new Rule().loadOutputDevice(0).lookup(Conditions.COVERED, 0).leave());
        }
        batch.addRule(UNROUTED, selecting(Direction.OUT).apply(new Rule()));
        for (int family : List.of(AddressFamily.INET, AddressFamily.INET6)) {
            List.of(arriving(family), known(family), sent(family), leaving(family))
                    .forEach(batch::addChain);
        }
        for (Direction direction : Direction.values()) {
            for (int family : List.of(AddressFamily.INET, AddressFamily.INET6)) {
                batch.addChain(chain(new WideScope(direction, family)));
            }
        }
    }

    /**
     * New sets, elements, rules, and the end of sets, in that order.
     *
     * @param flowtables whether others forward flows past all chains
     */
    void write(Batch batch, SelectionChange change, Selected before, boolean flowtables) {
        Set<Level> old = Set.copyOf(before.levels());
        change.levels().stream()
                .filter(level -> !old.contains(level) && !level.isEmpty())
                .forEach(level -> batch.addSet(LevelSet.name(level), LevelSet.key(level)));
        // Removed first: an element that was removed and is added again is there.
        byLevel(change.removed()).forEach((level, keys) -> batch.deleteElements(LevelSet.name(level), keys));
        byLevel(change.added()).forEach((level, keys) -> batch.addElements(LevelSet.name(level), keys));
        if (before.changesRules(change)) {
            writeRules(batch, change, flowtables);
            writeLate(batch, selectsAll(before.levels(), before.wide()), selectsAll(change.levels(), change.wide()));
        }
        Set<Level> stay = Set.copyOf(change.levels());
        old.stream()
                .filter(level -> !stay.contains(level) && !level.isEmpty())
                .forEach(level -> batch.deleteSet(LevelSet.name(level)));
    }

    private static Map<Level, List<byte[]>> byLevel(Collection<Element> elements) {
        return elements.stream()
                .filter(element -> !element.level().isEmpty())
                .collect(Collectors.groupingBy(Element::level, Collectors.mapping(LevelSet::key, Collectors.toList())));
    }

    private static boolean selectsAll(Collection<Level> levels, Collection<WideScope> wide) {
        return wide.stream().anyMatch(scope -> scope.direction() == Direction.OUT)
                || levels.stream().anyMatch(level -> level.direction() == Direction.OUT && level.isEmpty());
    }

    /** There only while it may select something, as every packet passes it. */
    private void writeLate(Batch batch, boolean before, boolean now) {
        if (before && !now) {
            batch.flushChain(LATE).deleteChain(LATE);
        } else if (now && !before) {
            batch.addChain(LATE, new Hook("filter", Hook.POSTROUTING, LATE_PRIORITY), Policy.ACCEPT);
            batch.addRule(LATE, Conditions.isLoopback(Meta.OIF).accept());
            own.accept(batch, LATE);
            batch.addRule(
                    LATE, new Rule().hasBits(Meta.MARK, names.markBit(), true).accept());
            Conditions.jumpByFamily(batch, LATE, Direction.OUT);
        }
    }

    /** Of all that is selected, in sets that are there. */
    void writeRules(Batch batch, SelectionChange change, boolean flowtables) {
        for (Direction direction : Direction.values()) {
            for (int family : List.of(AddressFamily.INET, AddressFamily.INET6)) {
                WideScope scope = new WideScope(direction, family);
                List<Level> levels = change.levels().stream()
                        .filter(level -> scope(level).equals(scope))
                        .toList();
                boolean all = change.wide().contains(scope) || levels.stream().anyMatch(Level::isEmpty);
                writeChain(batch, chain(scope), scope, all, levels, selecting(direction));
                if (direction == Direction.OUT) {
                    writeChain(batch, sent(family), scope, all, levels, marking(OutboundChains.SELECTED));
                    writeChain(batch, leaving(family), scope, all, levels, marking(OutboundChains.LEAVING_SELECTED));
                    writeArriving(batch, scope, all, flowtables, levels);
                }
            }
        }
    }

    private void writeChain(
            Batch batch, String chain, WideScope scope, boolean all, List<Level> levels, UnaryOperator<Rule> select) {
        batch.flushChain(chain);
        if (all) {
            batch.addRule(chain, select.apply(new Rule()));
        } else {
            writeLevels(batch, chain, scope, levels, select);
        }
    }

    private void writeArriving(Batch batch, WideScope scope, boolean all, boolean flowtables, List<Level> levels) {
        String arriving = arriving(scope.family());
        String known = known(scope.family());
        batch.flushChain(arriving).flushChain(known);
        if (all && !flowtables) {
            writeLevels(
                    batch,
                    known,
                    scope,
                    levels.stream().filter(level -> !level.isEmpty()).toList(),
                    selecting(Direction.OUT));
            batch.addRule(arriving, new Rule().jump(known));
            batch.addRule(arriving, new Rule().jump(UNROUTED));
            batch.addRule(
                    arriving,
                    new Rule().hasBits(Meta.MARK, names.markBit(), true).goTo(OutboundChains.ARRIVED));
        } else {
            writeChain(batch, arriving, scope, all, levels, marking(OutboundChains.ARRIVED));
        }
    }

    /** Fragments need not show ports, nor those of IPv6 a protocol; nor does an IPv6 packet with broken headers. */
    private void writeLevels(
            Batch batch, String chain, WideScope scope, List<Level> levels, UnaryOperator<Rule> select) {
        boolean isIpv4 = scope.family() == AddressFamily.INET;
        boolean ports = levels.stream().anyMatch(level -> level.sport() || level.dport());
        boolean protocols = ports || levels.stream().anyMatch(Level::protocol);
        if (isIpv4 && ports) {
            batch.addRule(
                    chain,
                    select.apply(new Rule()
                            .is(Meta.FAMILY, number(AddressFamily.INET))
                            .load(Header.NETWORK, FRAGMENT_FIELD_AT, 2, 0)
                            .mask(0, FRAGMENT_BITS, new byte[2])
                            .compare(0, Comparison.UNEQUAL, new byte[2])));
        }
        if (!isIpv4 && protocols) {
            batch.addRule(chain, select.apply(new Rule().isIpv6Fragment()));
        }
        for (Level level : levels) {
            batch.addRule(chain, select.apply(LevelSet.lookUp(level, new Rule())));
        }
        if (scope.direction() == Direction.FWD && !levels.isEmpty()) {
            writeErrors(batch, chain, isIpv4, select);
        }
        if (!isIpv4 && protocols) {
            batch.addRule(
                    chain,
                    new Rule()
                            .load(Meta.PROTOCOL, 0)
                            .compare(0, Comparison.AT_LEAST, Rule.bytes(0))
                            .leave());
            batch.addRule(chain, select.apply(new Rule()));
        }
    }

    private UnaryOperator<Rule> marking(String then) {
        return rule -> rule.counter().setMark(names.userBits(), names.markBit()).goTo(then);
    }

    /**
     * Errors about what a policy of dir fwd protects are judged as that is, whoever sends them; echoes never wait for a
     * judge.
     */
    private static void writeErrors(Batch batch, String chain, boolean isIpv4, UnaryOperator<Rule> select) {
        if (isIpv4) {
            for (int type : List.of(Icmp.DESTINATION_UNREACHABLE, Icmp.TIME_EXCEEDED)) {
                Rule error = new Rule()
                        .is(Meta.PROTOCOL, Rule.bytes(IpProtocol.ICMP))
                        .is(Header.TRANSPORT, Icmp.TYPE, Rule.bytes(type));
                batch.addRule(chain, select.apply(error));
            }
        } else {
            Rule errors = new Rule()
                    .is(Meta.PROTOCOL, Rule.bytes(IpProtocol.ICMPV6))
                    .has(Header.TRANSPORT, Icmp.TYPE, Comparison.AT_MOST, Rule.bytes(Icmp.V6_TIME_EXCEEDED));
            batch.addRule(chain, select.apply(errors));
        }
    }

    private UnaryOperator<Rule> selecting(Direction direction) {
        return direction == Direction.OUT
                ? rule -> rule.counter()
                        .setMark(names.userBits(), names.markBit())
                        .leave()
                : rule -> rule.counter().goTo(InboundChains.ask(direction));
    }
}
