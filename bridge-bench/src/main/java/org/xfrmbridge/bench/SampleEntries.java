package org.xfrmbridge.bench;

import java.util.List;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Template;

/**
 * What databases are filled with, by number: the n-th State, the n-th Policy of a kind, a flow. Nothing is kept, so
 * that it costs no memory beside what is measured; numbers are scattered by a hash, which is cheaper than a cache miss.
 */
final class SampleEntries {
    /** Kinds of policies. */
    enum Kind {
        /** Two hosts each. */
        EXACT,
        /** IPv4 prefixes of random lengths, 0 to 32, on both sides, with random priorities. */
        PREFIXED,
        /** The same of IPv6, 0 to 128. */
        PREFIXED6,
        /** A network of 24 bits on both sides, all of one priority. */
        NETWORKS
    }

    static final int REPLAY_WINDOW = 32;
    private static final int GATEWAY = 0x0b000001;
    private static final int STATES_PER_PEER = 16;
    private static final int KEY_BYTES = 20;

    private SampleEntries() {}

    /** Spreads bits: the finalizer of MurmurHash3. */
    static long scatter(long number) {
        long x = (number ^ number >>> 33) * 0xff51afd7ed558ccdL;
        x = (x ^ x >>> 33) * 0xc4ceb9fe1a85ec53L;
        return x ^ x >>> 33;
    }

    /** A tunnel's, AES-GCM, with a Spi and a time limit; sixteen have the same peer. */
    static StateSpec state(int number) {
        return StateSpec.builder()
                .family(AddressFamily.INET)
                .mode(Mode.TUNNEL)
                .id(new StateId(Address.ofIpv4(peer(number)), spi(number), IpProtocol.ESP))
                .saddr(Address.ofIpv4(GATEWAY))
                .reqid(1 + number / STATES_PER_PEER)
                .replayWindow(REPLAY_WINDOW)
                .lifetime(Lifetime.builder().hardAddSeconds(3600).build())
                .aead(new Algorithm("rfc4106(gcm(aes))", KEY_BYTES * Byte.SIZE, 128, new byte[KEY_BYTES]))
                .build();
    }

    /** The same with AES-CBC and HMAC-SHA256. */
    static StateSpec cbcState(int number) {
        return state(number).toBuilder()
                .aead(null)
                .cipher(new Algorithm("cbc(aes)", 128, 0, new byte[16]))
                .auth(new Algorithm("hmac(sha256)", 256, 128, new byte[32]))
                .authTruncated(true)
                .build();
    }

    static int peer(int number) {
        return 0x0a000000 + number / STATES_PER_PEER;
    }

    static int spi(int number) {
        return 0xc0000000 + number;
    }

    /** Outbound, with one tunnel template to a gateway of its own. */
    static PolicySpec policy(Kind kind, int number) {
        Template template = Template.builder()
                .id(new StateId(Address.ofIpv4(0x0c000000 + number), 0, IpProtocol.ESP))
                .family(AddressFamily.INET)
                .saddr(Address.ofIpv4(GATEWAY))
                .reqid(1 + number)
                .mode(Mode.TUNNEL)
                .build();
        boolean random = kind == Kind.PREFIXED || kind == Kind.PREFIXED6;
        return PolicySpec.builder()
                .selector(selector(kind, number))
                .lifetime(Lifetime.builder().build())
                .priority(random ? (int) scatter(~number) : 1000)
                .templates(List.of(template))
                .mark(new Mark(0, 0))
                .build();
    }

    private static Selector selector(Kind kind, int number) {
        int bits = kind == Kind.PREFIXED6 ? 128 : 32;
        long lengths = scatter(number * 31L + 7);
        int daddrBits = length(kind, bits, (int) (lengths >>> 32));
        int saddrBits = length(kind, bits, (int) lengths);
        Address daddr = new Address(daddr(kind, number), bits == 32 ? 0 : scatter(number + 11L));
        Address saddr = new Address(saddr(kind, number), bits == 32 ? 0 : scatter(number + 13L));
        return Selector.of(bits == 32 ? AddressFamily.INET : AddressFamily.INET6)
                .saddr(saddr.prefix(saddrBits), saddrBits)
                .daddr(daddr.prefix(daddrBits), daddrBits)
                .build();
    }

    private static int length(Kind kind, int bits, int random) {
        return switch (kind) {
            case EXACT -> bits;
            case NETWORKS -> 24;
            case PREFIXED, PREFIXED6 -> Integer.remainderUnsigned(random, bits + 1);
        };
    }

    private static long daddr(Kind kind, int number) {
        return kind == Kind.PREFIXED6 ? scatter(number * 2L) : scatter(number * 2L) << 32;
    }

    private static long saddr(Kind kind, int number) {
        return kind == Kind.PREFIXED6 ? scatter(number * 2L + 1) : scatter(number * 2L + 1) << 32;
    }

    /**
     * A flow between the addresses of the n-th policy of a kind; with a number that no policy has, between random ones.
     */
    static void fill(Flow flow, Kind kind, int number) {
        flow.family = kind == Kind.PREFIXED6 ? AddressFamily.INET6 : AddressFamily.INET;
        flow.daddrHigh = daddr(kind, number);
        flow.saddrHigh = saddr(kind, number);
        flow.protocol = IpProtocol.TCP;
        flow.sport = number & 0xffff;
        flow.dport = 443;
    }
}
