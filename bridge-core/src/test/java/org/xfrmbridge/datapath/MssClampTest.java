package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Checksum;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Tcp;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Selector;

/** The segment size that TCP connections through tunnels begin with. */
class MssClampTest {
    private static final String[] NEAR = {"192.0.2.1", "2001:db8::1"};
    private static final String[] FAR = {"192.0.2.2", "2001:db8::2"};
    private static final String[] INNER = {"10.1.0.1", "fd01::1"};
    private static final String[] BEHIND = {"10.1.0.9", "fd01::9"};
    private static final String[] FAR_INNER = {"10.2.0.1", "fd02::1"};
    private static final int SYN = Tcp.SYN;
    private static final int SYN_ACK = Tcp.SYN | Tcp.ACK;

    private final StackHost stack = new StackHost(NEAR[0], NEAR[1], INNER[0], INNER[1]);
    private final StackHost clamping = new StackHost(true, NEAR[0], NEAR[1], INNER[0], INNER[1]);
    private final TestHost peer = new TestHost(FAR[0], FAR[1], FAR_INNER[0], FAR_INNER[1]);

    /** Options: the size at an even place, or behind a NOP at an odd one; timestamps before it. */
    private static byte[] options(int mss, boolean odd) {
        byte[] options = new byte[20];
        int at = odd ? 1 : 0;
        options[0] = 1;
        options[at] = 8;
        options[at + 1] = 10;
        options[at + 10] = Tcp.OPTION_MSS;
        options[at + 11] = 4;
        Bytes.putU16(options, at + 12, mss);
        return options;
    }

    private static Frames tcp(String source, String destination, int flags, byte[] options) {
        byte[] tcp = new byte[20 + options.length];
        Bytes.putI32(tcp, 0, 4000 << 16 | 80);
        Bytes.putU8(tcp, Tcp.DATA_OFFSET, tcp.length / 4 << 4);
        Bytes.putU8(tcp, Tcp.FLAGS, flags);
        System.arraycopy(options, 0, tcp, 20, options.length);
        IpPacket view = Frames.view(
                Frames.udp(source, destination).payload(Tcp.PROTOCOL, tcp).frame());
        long sum = Checksum.pseudoHeader(view, Tcp.PROTOCOL, tcp.length);
        Bytes.putU16(tcp, Tcp.CHECKSUM, Checksum.finish(Checksum.add(sum, tcp, 0, tcp.length)));
        return Frames.udp(source, destination).payload(Tcp.PROTOCOL, tcp);
    }

    /** Also that the checksum is right. */
    private static int mss(byte[] frame, boolean odd) {
        IpPacket packet = Frames.view(frame);
        long sum = Checksum.pseudoHeader(packet, Tcp.PROTOCOL, packet.payloadBytes());
        assertTrue(Checksum.isIntact(Checksum.add(sum, packet.data(), packet.payload, packet.payloadBytes())));
        return Bytes.u16(packet.data(), packet.payload + Tcp.HEADER_BYTES + (odd ? 1 : 0) + 12);
    }

    private void connect(TestHost host, int family) {
        int inet = family == 4 ? AddressFamily.INET : AddressFamily.INET6;
        host.policy(Direction.OUT, Selector.any(inet), Sas.template(Mode.TUNNEL, NEAR[0], FAR[0]));
        host.policy(Direction.IN, Selector.any(inet), Sas.template(Mode.TUNNEL, FAR[0], NEAR[0]));
        host.policy(Direction.FWD, Selector.any(inet), Sas.template(Mode.TUNNEL, FAR[0], NEAR[0]));
        peer.policy(Direction.OUT, Selector.any(inet), Sas.template(Mode.TUNNEL, FAR[0], NEAR[0]));
        peer.policy(Direction.IN, Selector.any(inet), Sas.template(Mode.TUNNEL, NEAR[0], FAR[0]));
        for (TestHost each : List.of(host, peer)) {
            each.sad.insert(Sas.state(Sas.spec(Mode.TUNNEL, NEAR[0], FAR[0], 7)));
            each.sad.insert(Sas.state(Sas.spec(Mode.TUNNEL, FAR[0], NEAR[0], 8)));
        }
    }

    private int sent(StackHost from, Frames syn, boolean odd) {
        PacketBuffer outer = from.send(syn).getFirst();
        return mss(peer.receive(List.of(StackHost.bytes(outer))).getFirst(), odd);
    }

    @ParameterizedTest(name = "IPv{0}, flags {1}, odd {2}: {3} becomes {4}")
    @CsvSource({
        "4, 2, false, 1460, 1406",
        "4, 18, false, 1460, 1406",
        "4, 2, true, 1460, 1406",
        "6, 2, false, 1440, 1386",
        "6, 2, true, 65535, 1386",
        "4, 2, false, 1000, 1000",
        "4, 16, false, 1460, 1460"
    })
    void shouldTellWhatFitsIntoTheTunnel(int family, int flags, boolean odd, int before, int after) {
        connect(stack.host, family);
        int i = family == 4 ? 0 : 1;
        assertEquals(after, sent(stack, tcp(INNER[i], FAR_INNER[i], flags, options(before, odd)), odd));
    }

    @Test
    void shouldTouchForwardedConnectionsOnlyWhereItIsToldTo() {
        connect(stack.host, 4);
        Frames syn = tcp(BEHIND[0], FAR_INNER[0], SYN, options(1460, false));
        assertEquals(1460, sent(stack, syn, false));
        connect(clamping.host, 4);
        assertEquals(1406, sent(clamping, syn, false));
    }

    @ParameterizedTest(name = "IPv{0} to the host: {1}")
    @CsvSource({"4, true, 1406, 1406", "6, true, 1386, 1386", "4, false, 1460, 1406", "6, false, 1440, 1386"})
    void shouldTellTheStackWhatItsWayBackTakes(int family, boolean own, int plain, int clamped) {
        int i = family == 4 ? 0 : 1;
        Frames answer =
                tcp(FAR_INNER[i], own ? INNER[i] : BEHIND[i], SYN_ACK, options(family == 4 ? 1460 : 1440, false));
        connect(stack.host, family);
        byte[] sealed = peer.send(answer.frame()).getFirst();
        assertEquals(plain, mss(received(stack, sealed), false));
        connect(clamping.host, family);
        assertEquals(clamped, mss(received(clamping, sealed), false));
    }

    @Test
    void shouldFollowTheMtuOfTheWayBack() {
        connect(stack.host, 4);
        Frames answer = tcp(FAR_INNER[0], INNER[0], SYN_ACK, options(1460, false));
        received(stack, peer.send(answer.frame()).getFirst());
        stack.host.network.setMtu(1400);
        assertEquals(1306, mss(received(stack, peer.send(answer.frame()).getFirst()), false));
        stack.host.network.setGateway(null);
        assertEquals(1460, mss(received(stack, peer.send(answer.frame()).getFirst()), false), "nobody knows");
    }

    private static byte[] received(StackHost host, byte[] sealed) {
        List<PacketBuffer> arrived = host.receive(StackHost.arriving(sealed, 0, 0));
        assertEquals(1, arrived.size(), host.stats::toProcText);
        return StackHost.bytes(arrived.getFirst());
    }

    /** Lengths that contradict each other, a header cut short: as they came. */
    @ParameterizedTest(name = "{0}")
    @CsvSource({"0202", "02ff", "0100", "08", "020405"})
    void shouldLeaveBrokenOptionsAsTheyAre(String hex) {
        connect(stack.host, 4);
        byte[] options = new byte[4];
        byte[] given = HexFormat.of().parseHex(hex);
        System.arraycopy(given, 0, options, 0, given.length);
        Frames syn = tcp(INNER[0], FAR_INNER[0], SYN, options);
        byte[] packet = syn.packet();
        PacketBuffer outer = stack.send(syn).getFirst();
        byte[] arrived =
                Frames.packet(peer.receive(List.of(StackHost.bytes(outer))).getFirst());
        assertArrayEquals(packet, arrived);
    }

    @Test
    void shouldChangeNothingInTheWire() {
        connect(stack.host, 4);
        byte[] frame = tcp(INNER[0], FAR_INNER[0], SYN, options(1460, false)).frame();
        assertEquals(1460, mss(peer.receive(stack.host.send(frame)).getFirst(), false));
    }
}
