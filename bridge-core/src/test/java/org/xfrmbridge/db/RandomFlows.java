package org.xfrmbridge.db;

import java.util.Random;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Selector;

/** Flows and selectors from a world so small that they meet often. */
final class RandomFlows {
    private static final int[] PROTOCOLS = {6, 17, 1, 47};
    private static final int[] PORT_MASKS = {0, 0, 0xffff, 0xfff0, 0x0001};
    private static final int[] PREFIXES4 = {0, 1, 3, 4, 7, 8, 9, 15, 16, 23, 24, 28, 30, 31, 32, 32, 32};
    private static final int[] PREFIXES6 = {0, 1, 7, 8, 15, 31, 32, 48, 60, 63, 64, 65, 72, 100, 120, 126, 127, 128, 128, 128};
    private static final Mark[] MARKS = {
        Mark.NONE, Mark.NONE, Mark.NONE, new Mark(1, -1), new Mark(2, -1), new Mark(1, 3), new Mark(0, 1), new Mark(5, 1)
    };

    /** Nine pairs of lengths: one more than have tables of their own. */
    private static final int[] FEW4 = {0, 24, 32};
    private static final int[] FEW6 = {0, 64, 128};

    private final Random random;
    private final int[] prefixes4;
    private final int[] prefixes6;
    /** One selector of how many has more to it than addresses. */
    private final int plain;

    RandomFlows(Random random) {
        this(random, PREFIXES4, PREFIXES6, 1);
    }

    private RandomFlows(Random random, int[] prefixes4, int[] prefixes6, int plain) {
        this.random = random;
        this.prefixes4 = prefixes4;
        this.prefixes6 = prefixes6;
        this.plain = plain;
    }

    /** Networks and hosts, most selectors just that. */
    static RandomFlows ofFewPrefixes(Random random) {
        return new RandomFlows(random, FEW4, FEW6, 8);
    }

    int family() {
        return random.nextBoolean() ? AddressFamily.INET : AddressFamily.INET6;
    }

    Mark mark() {
        return MARKS[random.nextInt(MARKS.length)];
    }

    /** Addresses that differ in few bits, among the first and the last. */
    Address address(int family) {
        int first = random.nextInt(4) << 30;
        if (family == AddressFamily.INET) {
            return Address.ofIpv4(0x0a000000 ^ first ^ random.nextInt(2) << 8 ^ random.nextInt(4));
        }
        long high = 0x20010db800000000L ^ (long) first << 32 ^ random.nextInt(2);
        return new Address(high, (long) random.nextInt(2) << 63 | random.nextInt(4));
    }

    Selector selector(int family) {
        int[] prefixes = family == AddressFamily.INET ? prefixes4 : prefixes6;
        if (random.nextInt(plain) != 0) {
            return new Selector(address(family), address(family), 0, 0, 0, 0, family, pick(prefixes), pick(prefixes), 0, 0, 0);
        }
        return new Selector(
                address(family),
                address(family),
                random.nextInt(3),
                pick(PORT_MASKS),
                random.nextInt(3),
                pick(PORT_MASKS),
                family,
                pick(prefixes),
                pick(prefixes),
                random.nextBoolean() ? 0 : pick(PROTOCOLS),
                random.nextInt(4) == 0 ? 1 + random.nextInt(2) : 0,
                random.nextInt(8) == 0 ? 1000 : 0);
    }

    void fill(Flow flow, int family) {
        Address saddr = address(family);
        Address daddr = address(family);
        flow.family = family;
        flow.saddrHigh = saddr.high();
        flow.saddrLow = saddr.low();
        flow.daddrHigh = daddr.high();
        flow.daddrLow = daddr.low();
        flow.protocol = pick(PROTOCOLS);
        flow.sport = random.nextInt(4);
        flow.dport = random.nextInt(4);
        flow.mark = random.nextInt(4);
        flow.ifindex = random.nextInt(3);
        flow.ifId = random.nextInt(8) == 0 ? 1 : 0;
    }

    private int pick(int[] values) {
        return values[random.nextInt(values.length)];
    }
}
