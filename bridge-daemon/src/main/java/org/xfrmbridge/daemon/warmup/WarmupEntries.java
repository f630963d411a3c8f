package org.xfrmbridge.daemon.warmup;

import java.util.List;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.PolicySpecBuilder;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;
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
        Selector selector = Selector.of(AddressFamily.INET)
                .daddr(net, 24)
                .dport(1 + number)
                .protocol(IpProtocol.UDP)
                .build();
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
        return Selector.of(AddressFamily.INET)
                .saddr(saddr, saddrBits)
                .daddr(daddr, daddrBits)
                .build();
    }

    private static PolicySpec policy(Selector selector, int number, int priority) {
        PolicySpecBuilder policy =
                PolicySpec.builder().selector(selector).priority(priority).direction(Direction.OUT);
        StateId id = new StateId(Address.ofIpv4(FIRST_PEER + number), 0, IpProtocol.ESP);
        policy.templates(List.of(Template.builder()
                .id(id)
                .family(AddressFamily.INET)
                .saddr(SELF)
                .reqid(1)
                .mode(Mode.TUNNEL)
                .build()));
        return policy.build();
    }

    /** AES-GCM and AES-CBC with HMAC-SHA256, in turns. */
    static StateSpec state(int number) {
        StateSpecBuilder state = larval(number).toBuilder()
                .id(new StateId(Address.ofIpv4(FIRST_PEER + number), FIRST_SPI + number, IpProtocol.ESP))
                .replayWindow(32);
        if (number % 2 == 0) {
            state.aead(new Algorithm("rfc4106(gcm(aes))", 160, 128, new byte[20]));
        } else {
            state.cipher(new Algorithm("cbc(aes)", 128, 0, new byte[16]))
                    .auth(new Algorithm("hmac(sha256)", 256, 128, new byte[32]))
                    .authTruncated(true);
        }
        return state.build();
    }

    /** What an SPI is allocated for. */
    static StateSpec larval(int number) {
        return StateSpec.builder()
                .id(new StateId(Address.ofIpv4(FIRST_PEER + number), 0, IpProtocol.ESP))
                .saddr(SELF)
                .family(AddressFamily.INET)
                .mode(Mode.TUNNEL)
                .reqid(1)
                .seq(number + 1)
                .build();
    }
}
