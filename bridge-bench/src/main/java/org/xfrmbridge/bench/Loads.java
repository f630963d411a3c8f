package org.xfrmbridge.bench;

import java.util.List;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicyKey;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Template;

/**
 * What the stress programs install and send, by number: this host, its peers, States and policies between them in
 * transport mode.
 */
final class Loads {
    static final int HERE = 0x0a000001;
    static final int FIRST_SPI = 0x10000;

    /** A CPI has 16 bits, and every peer may have the same. */
    static final int CPI = 0x1000;

    private static final int PEERS = 0x0b000000;
    private static final int PRIORITY = 1000;

    private Loads() {}

    static int peer(int number) {
        return PEERS + number;
    }

    /** From here to the peer. */
    static StateSpec state(int protocol, int peer, int spi) {
        return state(protocol, Address.ofIpv4(HERE), Address.ofIpv4(peer), spi);
    }

    /** ESP with AES-GCM, AH with SHA-256 or IPComp, good for an hour. */
    static StateSpec state(int protocol, Address saddr, Address daddr, int spi) {
        StateSpec.Builder spec = StateSpec.builder();
        spec.family = AddressFamily.INET;
        spec.mode = Mode.TRANSPORT;
        spec.id = new StateId(daddr, spi, protocol);
        spec.saddr = saddr;
        spec.reqid = 1;
        spec.lifetime = new Lifetime(-1, -1, -1, -1, 0, 3600, 0, 0);
        switch (protocol) {
            case IpProtocol.ESP -> spec.aead = algorithm("rfc4106(gcm(aes))", 20, 128);
            case IpProtocol.AH -> spec.auth = algorithm("hmac(sha256)", 32, 128);
            default -> spec.compression = algorithm("deflate", 0, 0);
        }
        spec.replayWindow = protocol == IpProtocol.COMP ? 0 : SampleEntries.REPLAY_WINDOW;
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
        return new Template(
                new StateId(Address.ANY, 0, protocol),
                AddressFamily.INET,
                Address.ANY,
                1,
                Mode.TRANSPORT,
                0,
                optional,
                -1,
                -1,
                -1);
    }

    /** Between here and one peer. */
    static PolicySpec toPeer(int number, List<Template> templates) {
        Selector selector = new Selector(
                Address.ofIpv4(peer(number)), Address.ofIpv4(HERE), 0, 0, 0, 0, AddressFamily.INET, 32, 32, 0, 0, 0);
        return policy(Direction.OUT, selector, PRIORITY, templates);
    }

    /** For everything that no other policy is for. */
    static PolicySpec any(Direction direction, List<Template> templates) {
        return policy(direction, Selector.any(AddressFamily.INET), -1, templates);
    }

    static PolicySpec policy(Direction direction, Selector selector, int priority, List<Template> templates) {
        return new PolicySpec(
                selector,
                Lifetime.UNLIMITED,
                priority,
                0,
                direction,
                PolicySpec.Action.ALLOW,
                0,
                0,
                templates,
                Mark.NONE,
                0,
                PolicySpec.Type.MAIN,
                null);
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
