package org.xfrmbridge.db;

import java.util.Random;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.SecurityContext;
import org.xfrmbridge.xfrm.Selector;

/** Flows and selectors from a world so small that they meet often. */
final class RandomFlows {
    private static final int[] PROTOCOLS = {6, 17, 1, 47};
    private static final int[] PORT_MASKS = {0, 0, 0xffff, 0xfff0, 0x0001};
    private static final int[] PREFIXES4 = {0, 1, 3, 4, 7, 8, 9, 15, 16, 23, 24, 28, 30, 31, 32, 32, 32};
    private static final int[] PREFIXES6 = {
        0, 1, 7, 8, 15, 31, 32, 48, 60, 63, 64, 65, 72, 100, 120, 126, 127, 128, 128, 128
    };
    private static final Mark[] MARKS = {
        Mark.NONE,
        Mark.NONE,
        Mark.NONE,
        new Mark(1, -1),
        new Mark(2, -1),
        new Mark(1, 3),
        new Mark(0, 1),
        new Mark(5, 1)
    };

    /** Not in a lifetime. */
    private static final int NEVER = Integer.MAX_VALUE;

    private static final Lengths ALL4 = new Lengths(PREFIXES4, PREFIXES4);
    private static final Lengths ALL6 = new Lengths(PREFIXES6, PREFIXES6);

    private final Random random;
    private final Lengths lengths4;
    private final Lengths lengths6;
    /** One policy of how many has more to it than addresses, so far as chance wants it; one of how many any length. */
    private final int plain;

    private final int common;

    /** What prefixes the two sides have; lengths that are there more than once are more frequent. */
    private record Lengths(int[] saddr, int[] daddr) {
        /** One to three of each. */
        static Lengths few(Random random, int... all) {
            return new Lengths(some(random, all), some(random, all));
        }

        private static int[] some(Random random, int... all) {
            return random.ints(1 + random.nextInt(3), 0, all.length)
                    .map(i -> all[i])
                    .toArray();
        }
    }

    RandomFlows(Random random) {
        this(random, ALL4, ALL6, 1, NEVER);
    }

    private RandomFlows(Random random, Lengths lengths4, Lengths lengths6, int plain, int common) {
        this.random = random;
        this.lengths4 = lengths4;
        this.lengths6 = lengths6;
        this.plain = plain;
        this.common = common;
    }

    /**
     * Networks and hosts, of so few pairs of lengths that they may have tables of their own, most selectors just that;
     * at random how many.
     */
    static RandomFlows ofFewPrefixes(Random random) {
        int plain = pick(random, 4, 64, NEVER);
        int common = pick(random, 20, 100, 300, NEVER, NEVER);
        return new RandomFlows(
                random,
                Lengths.few(random, 0, 16, 24, 32, 32),
                Lengths.few(random, 0, 48, 64, 128, 128),
                plain,
                common);
    }

    int family() {
        return random.nextBoolean() ? AddressFamily.INET : AddressFamily.INET6;
    }

    Mark mark() {
        return isPlain() ? Mark.NONE : MARKS[random.nextInt(MARKS.length)];
    }

    int ifId() {
        return !isPlain() && random.nextInt(8) == 0 ? 1 : 0;
    }

    SecurityContext securityContext() {
        return !isPlain() && random.nextInt(16) == 0 ? new SecurityContext(new byte[] {1, 2}) : null;
    }

    private boolean isPlain() {
        return random.nextInt(plain) != 0;
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
        boolean inet = family == AddressFamily.INET;
        Lengths all = inet ? ALL4 : ALL6;
        Lengths lengths = random.nextInt(common) == 0 ? all : inet ? lengths4 : lengths6;
        if (isPlain()) {
            return Selector.of(family)
                    .saddr(address(family), pick(lengths.saddr))
                    .daddr(address(family), pick(lengths.daddr))
                    .build();
        }
        return Selector.of(family)
                .saddr(address(family), pick(lengths.saddr))
                .daddr(address(family), pick(lengths.daddr))
                .sport(random.nextInt(3), pick(PORT_MASKS))
                .dport(random.nextInt(3), pick(PORT_MASKS))
                .protocol(random.nextBoolean() ? 0 : pick(PROTOCOLS))
                .ifindex(random.nextInt(4) == 0 ? 1 + random.nextInt(2) : 0)
                .user(random.nextInt(8) == 0 ? 1000 : 0)
                .build();
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
        flow.lowerIfindex = random.nextInt(3);
        flow.ifId = random.nextInt(8) == 0 ? 1 : 0;
    }

    private int pick(int[] values) {
        return pick(random, values);
    }

    private static int pick(Random random, int... values) {
        return values[random.nextInt(values.length)];
    }
}
