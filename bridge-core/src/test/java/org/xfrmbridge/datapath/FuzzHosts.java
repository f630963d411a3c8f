package org.xfrmbridge.datapath;

import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;

/**
 * Two hosts for {@link PacketFuzz}: between 10.1.0.1 and 10.2.0.1 (fd01::1 and fd02::1) all is protected, in BEET mode
 * for UDP to port 2222 and in a tunnel else; from the hosts beside 10.1.0.1, one with AH, one compressed. Between the
 * outer addresses anything passes, and States of every mode and protocol are there to be used.
 */
final class FuzzHosts {
    /** Tunnel, BEET and transport mode, of each family. */
    static final int WAYS = 3;

    static final int ESP_SPI = 0x1000;
    static final int AH_SPI = 0x2000;
    static final int COMP_SPI = 0x3000;

    /** Last number of the hosts from which AH and IPComp are wanted. */
    static final int AH_HOST = 2;

    static final int COMP_HOST = 3;

    private static final Mode[] MODES = {Mode.TUNNEL, Mode.BEET, Mode.TRANSPORT};
    private static final int FORGOTTEN_SECONDS = 1200;

    final TestHost host = new TestHost("192.0.2.1", "2001:db8::1", "10.1.0.1", "fd01::1");
    final TestHost peer = new TestHost("192.0.2.2", "2001:db8::2", "10.2.0.1", "fd02::1");

    FuzzHosts() {
        connect(0, new String[] {"192.0.2.1", "192.0.2.2"}, new String[] {"10.1.0.1/32", "10.2.0.1/32"});
        connect(WAYS, new String[] {"2001:db8::1", "2001:db8::2"}, new String[] {"fd01::1/128", "fd02::1/128"});
    }

    private void connect(int firstWay, String[] ends, String[] inner) {
        LocalEndpoint at = new LocalEndpoint(Sas.family(ends[0]), IpProtocol.UDP, Address.ANY, 4500);
        peer.sockets.setEncapsulation("fuzz", Sas.family(ends[0]), at, Encapsulation.UDP_ENCAP_ESPINUDP);
        for (int i = 0; i < MODES.length; i++) {
            Mode mode = MODES[i];
            int way = firstWay + i;
            for (TestHost each : new TestHost[] {host, peer}) {
                each.sad.insert(Sas.state(spec(mode, ends, inner, ESP_SPI + way), Sas.Cipher.NULL_SHA1));
                each.sad.insert(Sas.ah(spec(mode, ends, inner, AH_SPI + way), "digest_null"));
                if (mode != Mode.BEET) {
                    each.sad.insert(Sas.comp(spec(mode, ends, inner, COMP_SPI + way)));
                }
            }
            if (mode != Mode.TRANSPORT) {
                Selector selector = Sas.between(
                        inner[0], inner[1], mode == Mode.BEET ? IpProtocol.UDP : 0, mode == Mode.BEET ? 2222 : 0);
                Template template = Sas.template(mode, ends[0], ends[1], ESP_SPI + way, false);
                int priority = mode == Mode.BEET ? 1 : 2;
                host.policy(Direction.OUT, selector, PolicySpec.Action.ALLOW, priority, template);
                peer.policy(Direction.IN, selector, PolicySpec.Action.ALLOW, priority, template);
            }
        }
        want(IpProtocol.AH, AH_HOST, ends, inner);
        want(IpProtocol.COMP, COMP_HOST, ends, inner);
        peer.sad.insert(Sas.ipip(spec(Mode.TUNNEL, ends, inner, 1)));
    }

    private void want(int protocol, int fromHost, String[] ends, String[] inner) {
        Selector selector = Sas.between(inner[0].replaceFirst("1/", fromHost + "/"), inner[1]);
        peer.policy(Direction.IN, selector, Sas.of(protocol, Sas.template(Mode.TUNNEL, ends[0], ends[1], 0, false)));
    }

    private static StateSpecBuilder spec(Mode mode, String[] ends, String[] inner, int spi) {
        return Sas.spec(mode, ends[0], ends[1], spi)
                .reqid(spi)
                .replayWindow(0)
                .selector(mode == Mode.BEET ? Sas.between(inner[0], inner[1]) : Selector.any(AddressFamily.UNSPEC));
    }

    void wait(int seconds) {
        host.clock.advanceSeconds(seconds);
        peer.clock.advanceSeconds(seconds);
    }

    /** Whatever is remembered of packets is too old from now on. */
    void forget() {
        wait(FORGOTTEN_SECONDS);
        host.told.clear();
        peer.told.clear();
    }

    /** Whether a packet goes from one protected end to the other; false also without a packet. */
    static boolean isInner(IpPacket packet) {
        if (packet == null) {
            return false;
        }
        byte[] data = packet.data();
        if (packet.isIpv4()) {
            return Bytes.i32(data, packet.offset + Ipv4.SOURCE) == 0x0a010001
                    && Bytes.i32(data, packet.offset + Ipv4.DESTINATION) == 0x0a020001;
        }
        return isEnd(data, packet.offset + Ipv6.SOURCE, "fd01::1")
                && isEnd(data, packet.offset + Ipv6.DESTINATION, "fd02::1");
    }

    private static boolean isEnd(byte[] data, int at, String text) {
        Address end = Address.parse(text);
        return Bytes.i64(data, at) == end.high() && Bytes.i64(data, at + 8) == end.low();
    }
}
