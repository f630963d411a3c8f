package org.xfrmbridge.daemon.control;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.db.SocketPolicies;
import org.xfrmbridge.db.SocketPolicies.Families;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.km.PolicyRules;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.netlink.map.PolicyDecoder;
import org.xfrmbridge.netlink.msg.UserpolicyInfo;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.PolicySpec;

/** The lines of a {@code sockets} connection: policies and encapsulation of single sockets. Everything ends with it. Control thread only. */
final class SocketRegistration {
    private static final Logger LOG = LoggerFactory.getLogger(SocketRegistration.class);
    private static final int EPERM = 1;
    private static final int EINVAL = 22;
    private static final String OK = "ok\n";
    private static final int PARTS_OF_ENDPOINT = 6;
    private static final String IPV6_AND_IPV4 = "10+2";

    private final SocketPolicies sockets;
    private final PfkeyPolicies policies;
    private final Clock clock;
    private final Peer peer;
    private boolean registered;

    /** Reads the value of IP_IPSEC_POLICY, or IPV6_IPSEC_POLICY. */
    interface PfkeyPolicies {
        PolicySpec read(ByteBuffer option, int family) throws XfrmException;
    }

    SocketRegistration(SocketPolicies sockets, PfkeyPolicies policies, Clock clock, Peer peer) {
        this.sockets = sockets;
        this.policies = policies;
        this.clock = clock;
        this.peer = peer;
    }

    String line(String line) {
        if (!peer.privileged()) {
            return errno(EPERM);
        }
        String[] parts = line.split(" ");
        try {
            long cookie = Long.parseUnsignedLong(parts[1]);
            switch (parts[0]) {
                case "policy" -> policy(cookie, endpoint(parts), parts[PARTS_OF_ENDPOINT]);
                case "ipsec" -> ipsec(cookie, endpoint(parts), parts[PARTS_OF_ENDPOINT]);
                case "encap" -> encapsulation(cookie, endpoint(parts), Integer.parseInt(parts[PARTS_OF_ENDPOINT]));
                case "moved" -> sockets.move(this, cookie, endpoint(parts));
                case "close" -> sockets.close(this, cookie);
                default -> throw new IllegalArgumentException(parts[0]);
            }
            announce();
            return OK;
        } catch (XfrmException e) {
            return errno(e.errno().number());
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            return errno(EINVAL);
        }
    }

    private static LocalEndpoint endpoint(String[] parts) {
        boolean both = parts[2].equals(IPV6_AND_IPV4);
        int family = both ? AddressFamily.INET6 : Integer.parseInt(parts[2]);
        int port = Integer.parseInt(parts[5]);
        if (!AddressFamily.isIp(family) || port < 0 || port > 0xffff) {
            throw new IllegalArgumentException("no endpoint");
        }
        return new LocalEndpoint(family, Integer.parseInt(parts[3]), Address.parse(parts[4]), port, both ? Families.BOTH : Families.OWN);
    }

    private void ipsec(long cookie, LocalEndpoint at, String hex) throws XfrmException {
        sockets.setPolicy(this, cookie, at, policies.read(bytes(hex), at.family()), clock.epochSeconds());
    }

    private static ByteBuffer bytes(String hex) {
        return ByteBuffer.wrap(HexFormat.of().parseHex(hex)).order(ByteOrder.nativeOrder());
    }

    private void policy(long cookie, LocalEndpoint at, String hex) throws XfrmException {
        if (hex.equals("-")) {
            sockets.clearPolicies(this, cookie);
            return;
        }
        ByteBuffer option = bytes(hex);
        if (option.remaining() < UserpolicyInfo.BYTES) {
            throw new IllegalArgumentException("cut short");
        }
        sockets.setPolicy(this, cookie, at, spec(option), clock.epochSeconds());
    }

    /** {@code xfrm_compile_policy}: only in and out, and what follows the policy is templates. */
    private static PolicySpec spec(ByteBuffer option) throws XfrmException {
        UserpolicyInfo info = UserpolicyInfo.read(option);
        Attributes none = Attributes.parse(ByteBuffer.allocate(0), 0, XfrmAttribute.POLICIES.maxType());
        PolicySpec verified = PolicyRules.verify(PolicyDecoder.decode(info, none).withTemplates(PolicyDecoder.templates(option)));
        if (verified.direction() == Direction.FWD) {
            throw new IllegalArgumentException("no policy of a socket");
        }
        return verified.withIndex(0);
    }

    private void encapsulation(long cookie, LocalEndpoint at, int type) {
        sockets.setEncapsulation(this, cookie, at, type);
        LOG.debug("{} takes ESP in UDP of type {} on port {}", peer, type, at.port());
    }

    private void announce() {
        if (!registered) {
            registered = true;
            LOG.info("{} registers sockets", peer);
        }
    }

    static String errno(int number) {
        return "errno " + number + "\n";
    }

    void end() {
        sockets.closeAll(this);
        if (registered) {
            LOG.info("the sockets of {} are gone", peer);
        }
    }
}
