package org.xfrmbridge.it.conformance;

import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateId;

/** The few names that requests use, so that they meet each other's entries. */
final class Pools {
    private static final Address[] IPV4 = {
        Address.parse("192.0.2.1"), Address.parse("192.0.2.2"), Address.parse("198.51.100.7")
    };
    private static final Address[] IPV6 = {
        Address.parse("2001:db8::1"), Address.parse("2001:db8::2"), Address.parse("2001:db8:1::7")
    };

    private final Dice dice;

    Pools(Dice dice) {
        this.dice = dice;
    }

    /** Mostly IPv4 or IPv6; once in a while something else. */
    int family() {
        return dice.oneIn(40)
                ? dice.pick(0, 1, 3, 255)
                : dice.pick(AddressFamily.INET, AddressFamily.INET, AddressFamily.INET6);
    }

    Address address(int family) {
        if (dice.oneIn(25)) {
            return Address.ANY;
        }
        return dice.oneIn(40) == (family == AddressFamily.INET) ? dice.choose(IPV6) : dice.choose(IPV4);
    }

    /** Mostly the same one, so that entries are found again. */
    Address usualAddress(int family) {
        Address[] pool = family == AddressFamily.INET6 ? IPV6 : IPV4;
        return dice.oneIn(4) ? address(family) : pool[0];
    }

    int spi() {
        return dice.oneIn(10) ? dice.edge() : dice.pick(0x1000, 0x1000, 0x1001);
    }

    int protocol() {
        if (dice.oneIn(40)) {
            return dice.pick(0, 1, 6, 99, 255);
        }
        return dice.oneIn(8)
                ? dice.pick(IpProtocol.AH, IpProtocol.COMP, IpProtocol.DSTOPTS, IpProtocol.ROUTING)
                : IpProtocol.ESP;
    }

    StateId id(int family) {
        return new StateId(usualAddress(family), spi(), protocol());
    }

    Selector selector(int family) {
        int bits = family == AddressFamily.INET6 ? 128 : 32;
        boolean ports = dice.oneIn(3);
        return Selector.of(dice.oneIn(30) ? family() : family)
                .saddr(usualAddress(family), prefix(bits))
                .daddr(usualAddress(family), prefix(bits))
                .sport(ports && dice.oneIn(2) ? 4500 : 0, ports && dice.oneIn(2) ? 0xffff : 0)
                .dport(ports ? dice.pick(53, 500) : 0, ports ? 0xffff : 0)
                .protocol(dice.oneIn(3) ? dice.pick(IpProtocol.UDP, IpProtocol.TCP, 255) : 0)
                .ifindex(dice.oneIn(12) ? dice.pick(1, 9) : 0)
                .user(dice.oneIn(12) ? 1000 : 0)
                .build();
    }

    private int prefix(int bits) {
        return dice.oneIn(40) ? dice.pick(bits + 1, 129, 255) : dice.pick(bits, bits, 24, 0);
    }

    /** Some fit what others fit, too, and the bits of one are more than its mask lets through. */
    Mark mark() {
        return dice.choose(
                new Mark(0, 0), new Mark(1, 1), new Mark(1, 0xff), new Mark(5, -1), new Mark(7, 1), new Mark(0, 0x10));
    }

    /** Seconds are none or far ahead, so that nothing ends within a run by itself. */
    Lifetime lifetime() {
        if (!dice.oneIn(4)) {
            return Lifetime.UNLIMITED;
        }
        return Lifetime.builder()
                .softBytes(amount())
                .hardBytes(amount())
                .softPackets(amount())
                .hardPackets(amount())
                .softAddSeconds(dice.pick(0, 3600))
                .hardAddSeconds(dice.pick(0, 7200))
                .softUseSeconds(dice.pick(0, 3600))
                .hardUseSeconds(dice.pick(0, 7200))
                .build();
    }

    private long amount() {
        if (dice.oneIn(8)) {
            return dice.extreme();
        }
        return dice.oneIn(3) ? dice.pick(0, 1, 1000, 5_000_000) : Lifetime.INFINITE;
    }

    int reqid() {
        return dice.pick(0, 1, 1, 7);
    }

    int acquireSequence() {
        return dice.pick(0, 0, 0, 1, 2);
    }
}
