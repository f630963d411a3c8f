package org.xfrmbridge.daemon.warmup;

import java.util.List;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Template;

/** Policies and States as IKE daemons make them, each another one by its number. */
final class WarmupEntries {
    private static final Address SELF = Address.ofIpv4(0x0a000001);
    private static final int FIRST_PEER = 0x0b000000;
    private static final int FIRST_NET = 0x10000000;
    private static final int FIRST_SPI = 0x10000;

    private WarmupEntries() {}

    /** One address to one address. */
    static PolicySpec exact(int number) {
        return policy(selector(SELF, 32, Address.ofIpv4(FIRST_PEER + number), 32), number, 1000);
    }

    /** Any address to a /24, in some thousand priorities. */
    static PolicySpec prefixed(int number) {
        return policy(
                selector(Address.ANY, 0, Address.ofIpv4(FIRST_NET + (number << 8)), 24),
                number,
                number * 0x9E3779B9 >>> 20);
    }

    /** Any address to one of a few /24s, told apart by port. */
    static PolicySpec overlapping(int number) {
        Address net = Address.ofIpv4(FIRST_NET + (number % 8 << 8));
        Selector selector = new Selector(
                net, Address.ANY, 1 + number, 0xffff, 0, 0, AddressFamily.INET, 24, 0, IpProtocol.UDP, 0, 0);
        return policy(selector, number, number * 0x9E3779B9 >>> 20);
    }

    /** Prefixes of all lengths on both sides. */
    static PolicySpec random(int number) {
        int scrambled = number * 0x9E3779B9;
        int saddrBits = 8 + (scrambled >>> 8) % 25;
        int daddrBits = 8 + (scrambled >>> 16) % 25;
        Address saddr = Address.ofIpv4(scrambled).prefix(saddrBits);
        Address daddr = Address.ofIpv4(Integer.reverse(scrambled)).prefix(daddrBits);
        return policy(selector(saddr, saddrBits, daddr, daddrBits), number, number % 64);
    }

    private static Selector selector(Address saddr, int saddrBits, Address daddr, int daddrBits) {
        return new Selector(daddr, saddr, 0, 0, 0, 0, AddressFamily.INET, daddrBits, saddrBits, 0, 0, 0);
    }

    private static PolicySpec policy(Selector selector, int number, int priority) {
        PolicySpec.Builder policy = PolicySpec.builder();
        policy.selector = selector;
        policy.priority = priority;
        policy.direction = Direction.OUT;
        StateId id = new StateId(Address.ofIpv4(FIRST_PEER + number), 0, IpProtocol.ESP);
        policy.templates = List.of(new Template(id, AddressFamily.INET, SELF, 1, Mode.TUNNEL, 0, false, -1, -1, -1));
        return policy.build();
    }

    /** AES-GCM and AES-CBC with HMAC-SHA256, in turns. */
    static StateSpec state(int number) {
        StateSpec.Builder state = larval(number).toBuilder();
        state.id = new StateId(Address.ofIpv4(FIRST_PEER + number), FIRST_SPI + number, IpProtocol.ESP);
        state.replayWindow = 32;
        if (number % 2 == 0) {
            state.aead = new Algorithm("rfc4106(gcm(aes))", 160, 128, new byte[20]);
        } else {
            state.cipher = new Algorithm("cbc(aes)", 128, 0, new byte[16]);
            state.auth = new Algorithm("hmac(sha256)", 256, 128, new byte[32]);
            state.authTruncated = true;
        }
        return state.build();
    }

    /** What an SPI is allocated for. */
    static StateSpec larval(int number) {
        StateSpec.Builder state = StateSpec.builder();
        state.id = new StateId(Address.ofIpv4(FIRST_PEER + number), 0, IpProtocol.ESP);
        state.saddr = SELF;
        state.family = AddressFamily.INET;
        state.mode = Mode.TUNNEL;
        state.reqid = 1;
        state.seq = number + 1;
        return state.build();
    }
}
