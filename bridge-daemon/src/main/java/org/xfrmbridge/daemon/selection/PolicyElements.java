package org.xfrmbridge.daemon.selection;

import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;

/**
 * The element that selects all packets a policy protects or blocks, as narrow as sets can be. Interface, user and ports
 * with part of a mask are no fields of it; ICMP types and GRE keys are not ports.
 */
final class PolicyElements {
    private static final int WHOLE = 0xffff;
    private static final int HOP_BY_HOP = 0;
    private static final int[] LENGTHS4 = {32, 24, 16, 8, 0};
    private static final int[] LENGTHS6 = {128, 64, 48, 32, 16, 0};

    private PolicyElements() {}

    /** Numbers of leading bits that an address may be cut to, longest first. */
    static int[] lengths(int family) {
        return family == AddressFamily.INET ? LENGTHS4 : LENGTHS6;
    }

    /** Whether it protects or blocks, also by optional templates alone. */
    static boolean protects(PolicySpec spec) {
        return spec.action() != PolicySpec.Action.ALLOW || !spec.templates().isEmpty();
    }

    /**
     * Null if it selects nothing. A policy with an interface id is only for packets of xfrm interfaces, which never are
     * the host's other packets. A sub-policy of dir fwd that lets pass counts, too: it leads to a main one of dir in.
     *
     * @param markBits of a packet's mark that are the user's: another says nothing about a packet
     */
    static Element of(PolicySpec spec, int markBits) {
        boolean leads = spec.type() == PolicySpec.Type.SUB && spec.direction() == Direction.FWD;
        boolean counts = (protects(spec) || leads) && isForPackets(spec);
        Selector selector = spec.selector();
        return counts ? element(spec.direction(), selector, spec.mark(), markBits, selector.protocol()) : null;
    }

    private static boolean isForPackets(PolicySpec spec) {
        return spec.ifId() == 0
                && spec.mark().isSanitized()
                && AddressFamily.isIp(spec.selector().family());
    }

    private static Element element(Direction direction, Selector selector, Mark mark, int markBits, int number) {
        int family = selector.family();
        boolean protocol = isSeen(number, family);
        boolean ports = protocol && IpProtocol.hasPorts(number);
        boolean sport = ports && isWhole(selector.sport(), selector.sportMask());
        boolean dport = ports && isWhole(selector.dport(), selector.dportMask());
        Level level = new Level(
                direction,
                family,
                cut(selector.saddrPrefix(), family),
                cut(selector.daddrPrefix(), family),
                protocol,
                sport,
                dport,
                mark.mask() & markBits);
        return new Element(
                level,
                selector.saddr().prefix(level.saddrBits()),
                selector.daddr().prefix(level.daddrBits()),
                protocol ? number : 0,
                sport ? selector.sport() : 0,
                dport ? selector.dport() : 0,
                mark.value() & markBits);
    }

    /** Whether the host's stack, too, takes it for the upper protocol: it looks behind IPv6's extension headers. */
    private static boolean isSeen(int protocol, int family) {
        if (family == AddressFamily.INET) {
            return protocol != IpProtocol.ANY;
        }
        return switch (protocol) {
            case HOP_BY_HOP, IpProtocol.ROUTING, IpProtocol.FRAGMENT, IpProtocol.AH, IpProtocol.DSTOPTS -> false;
            default -> true;
        };
    }

    /** A packet too short for its ports has port 0 to the database and none to the host's stack. */
    private static boolean isWhole(int port, int mask) {
        return mask == WHOLE && port != 0;
    }

    private static int cut(int prefixBits, int family) {
        int position = 0;
        int[] lengths = lengths(family);
        while (lengths[position] > prefixBits) {
            position++;
        }
        return lengths[position];
    }

    /**
     * Null if it selects nothing. Packets of a socket's port, or all of its protocol if that is not known. A socket of
     * family INET6 may have IPv4 packets, too, but no policy for them unless that is of family INET.
     */
    static Element ofSocket(Direction direction, LocalEndpoint at, PolicySpec spec, int markBits) {
        if (!protects(spec) || !isForPackets(spec)) {
            return null;
        }
        Selector.Builder packets = Selector.of(spec.selector().family());
        if (at.port() > 0 && direction == Direction.OUT) {
            packets.sport(at.port());
        } else if (at.port() > 0) {
            packets.dport(at.port());
        }
        return element(direction, packets.build(), spec.mark(), markBits, at.protocol());
    }

    /** All packets. */
    static Element all(Direction direction, int family) {
        return new Element(
                new Level(direction, family, 0, 0, false, false, false, 0), Address.ANY, Address.ANY, 0, 0, 0, 0);
    }
}
