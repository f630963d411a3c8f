package org.xfrmbridge.bench;

import java.util.List;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicyKey;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;

/**
 * What the stress programs install and send, by number: this host, its peers, States and policies between them in
 * transport mode.
 */
final class TransportEntries {
    static final int HERE = 0x0a000001;
    static final int FIRST_SPI = 0x10000;

    /** A CPI has 16 bits, and every peer may have the same. */
    static final int CPI = 0x1000;

    private static final int PEERS = 0x0b000000;
    private static final int PRIORITY = 1000;

    private TransportEntries() {}

    static int peer(int number) {
        return PEERS + number;
    }

    /** From here to the peer. */
    static StateSpec state(int protocol, int peer, int spi) {
        return state(protocol, Address.ofIpv4(HERE), Address.ofIpv4(peer), spi);
    }

    /** ESP with AES-GCM, AH with SHA-256 or IPComp, good for an hour. */
    static StateSpec state(int protocol, Address saddr, Address daddr, int spi) {
        StateSpecBuilder spec = StateSpec.builder()
                .family(AddressFamily.INET)
                .mode(Mode.TRANSPORT)
                .id(new StateId(daddr, spi, protocol))
                .saddr(saddr)
                .reqid(1)
                .lifetime(Lifetime.builder().hardAddSeconds(3600).build());
        switch (protocol) {
            case IpProtocol.ESP -> spec.aead(algorithm("rfc4106(gcm(aes))", 20, 128));
            case IpProtocol.AH -> spec.auth(algorithm("hmac(sha256)", 32, 128));
            default -> spec.compression(algorithm("deflate", 0, 0));
        }
        spec.replayWindow(protocol == IpProtocol.COMP ? 0 : SampleEntries.REPLAY_WINDOW);
        return spec.build();
    }

    private static Algorithm algorithm(String name, int keyBytes, int icvBits) {
        return new Algorithm(name, keyBytes * Byte.SIZE, icvBits, new byte[keyBytes]);
    }

    static StateKey key(StateSpec spec) {
        return new StateKey(spec.id(), spec.family(), spec.mark(), null);
    }

    static PolicyKey key(PolicySpec spec) {
        return new PolicyKey(
                spec.type(), spec.direction(), 0, spec.selector(), spec.mark(), spec.ifId(), spec.securityContext());
    }

    /** For a State between the ends of the packet itself. */
    static Template template(int protocol) {
        // Packets that compression would not make smaller come without its header.
        boolean optional = protocol == IpProtocol.COMP;
        return Template.builder()
                .id(new StateId(Address.ANY, 0, protocol))
                .family(AddressFamily.INET)
                .reqid(1)
                .optional(optional)
                .build();
    }

    /** Between here and one peer. */
    static PolicySpec toPeer(int number, List<Template> templates) {
        Selector selector = Selector.of(AddressFamily.INET)
                .saddr(Address.ofIpv4(HERE), 32)
                .daddr(Address.ofIpv4(peer(number)), 32)
                .build();
        return policy(Direction.OUT, selector, PRIORITY, templates);
    }

    /** For everything that no other policy is for. */
    static PolicySpec any(Direction direction, List<Template> templates) {
        return policy(direction, Selector.any(AddressFamily.INET), -1, templates);
    }

    static PolicySpec policy(Direction direction, Selector selector, int priority, List<Template> templates) {
        return PolicySpec.builder()
                .selector(selector)
                .priority(priority)
                .direction(direction)
                .templates(templates)
                .build();
    }

    /** From here to a peer. */
    static void fill(Flow flow, int number) {
        flow.family = AddressFamily.INET;
        flow.daddrHigh = (long) peer(number) << 32;
        flow.saddrHigh = (long) HERE << 32;
        flow.protocol = IpProtocol.UDP;
        flow.sport = 1024;
        flow.dport = 4711;
    }
}
