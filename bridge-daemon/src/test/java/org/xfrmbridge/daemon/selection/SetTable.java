package org.xfrmbridge.daemon.selection;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;

/** A table in this process, which holds whoever changes it to the contract, and fails when it is told to. */
final class SetTable implements SelectionTable {
    private Map<Level, Set<Element>> sets = new LinkedHashMap<>();
    private Set<WideScope> wide = Set.of();
    private int failures;
    int commits;

    /** The next commits fail. */
    void fail(int times) {
        failures = times;
    }

    @Override
    public void commit(SelectionChange change) throws OsException {
        if (failures > 0) {
            failures--;
            throw new OsException("sendmsg", OsException.ENOBUFS);
        }
        commits++;
        Map<Level, Set<Element>> next = new LinkedHashMap<>();
        for (Level level : change.levels()) {
            assertFalse(level.isEmpty());
            assertEquals(null, next.put(level, sets.getOrDefault(level, new HashSet<>())));
        }
        for (Element element : change.removed()) {
            assertTrue(next.get(element.level()).remove(element), () -> "not there: " + element);
        }
        for (Element element : change.added()) {
            assertEquals(masked(element), element);
            assertTrue(next.get(element.level()).add(element), () -> "there already: " + element);
        }
        next.forEach((level, elements) -> assertFalse(elements.isEmpty(), () -> "nothing in " + level));
        sets = next;
        wide = Set.copyOf(change.wide());
    }

    private static Element masked(Element e) {
        Flow flow = new Flow();
        flow.saddrHigh = e.saddr().high();
        flow.saddrLow = e.saddr().low();
        flow.daddrHigh = e.daddr().high();
        flow.daddrLow = e.daddr().low();
        flow.protocol = e.protocol();
        flow.sport = e.sport();
        flow.dport = e.dport();
        flow.mark = e.mark();
        return key(e.level(), flow);
    }

    /** What a packet is looked up with. */
    private static Element key(Level level, Flow flow) {
        return new Element(
                level,
                prefix(flow.saddr(), level.saddrBits()),
                prefix(flow.daddr(), level.daddrBits()),
                level.protocol() ? flow.protocol : 0,
                level.sport() ? flow.sport : 0,
                level.dport() ? flow.dport : 0,
                flow.mark & level.markMask());
    }

    private static Address prefix(Address address, int bits) {
        long high = bits == 0 ? 0 : bits >= 64 ? address.high() : address.high() >>> 64 - bits << 64 - bits;
        long low = bits <= 64 ? 0 : bits == 128 ? address.low() : address.low() >>> 128 - bits << 128 - bits;
        return new Address(high, low);
    }

    /** The key of GRE is no port; a packet that is too short for ports has none, not some that are 0. */
    boolean selects(Direction direction, Flow flow) {
        if (isWide(direction, flow.family) || isError(direction, flow)) {
            return true;
        }
        for (Map.Entry<Level, Set<Element>> set : sets.entrySet()) {
            Level level = set.getKey();
            boolean hasPorts = IpProtocol.hasPorts(flow.protocol) && (flow.sport | flow.dport) != 0;
            if (!hasPorts && (level.sport() || level.dport())) {
                continue;
            }
            if (level.direction() == direction
                    && level.family() == flow.family
                    && set.getValue().contains(key(level, flow))) {
                return true;
            }
        }
        return false;
    }

    /** Selected wherever anything is that the host forwards. */
    private boolean isError(Direction direction, Flow flow) {
        int icmp = flow.family == AddressFamily.INET ? IpProtocol.ICMP : IpProtocol.ICMPV6;
        return direction == Direction.FWD
                && flow.protocol == icmp
                && sets.keySet().stream()
                        .anyMatch(level -> level.direction() == direction && level.family() == flow.family);
    }

    boolean isWide(Direction direction, int family) {
        return wide.contains(new WideScope(direction, family));
    }

    boolean isEmpty() {
        return sets.isEmpty() && wide.isEmpty();
    }

    List<Level> levels() {
        return List.copyOf(sets.keySet());
    }

    int elements() {
        return sets.values().stream().mapToInt(Set::size).sum();
    }

    /** No more than that many levels in a direction and family, and elements in a level. */
    void assertWithin(int levels, int elements) {
        Map<WideScope, Integer> counts = new HashMap<>();
        sets.forEach((level, set) -> {
            counts.merge(new WideScope(level.direction(), level.family()), 1, Integer::sum);
            assertTrue(set.size() <= elements, () -> set.size() + " in " + level);
        });
        counts.forEach((scope, count) -> assertTrue(count <= levels, () -> count + " levels in " + scope));
    }
}
