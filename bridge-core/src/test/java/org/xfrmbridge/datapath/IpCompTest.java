package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;

/** IPComp (RFC 3173) between two hosts, what a peer may send, and what nobody may. */
class IpCompTest {
    private static final int CPI = 0x1234;
    private static final String A = "192.0.2.1";
    private static final String B = "192.0.2.2";
    private static final String A6 = "2001:db8::1";
    private static final String B6 = "2001:db8::2";

    private TestHost a;
    private TestHost b;
    private State sending;
    private State receiving;

    private void pair(Mode mode, String inner, String outer) {
        String[] ends = outer.equals("IPv4") ? new String[] {A, B} : new String[] {A6, B6};
        a = new TestHost(A, A6, "10.1.0.1", "fd01::1");
        b = new TestHost(B, B6, "10.2.0.1", "fd02::1");
        sending = Sas.comp(Sas.spec(mode, ends[0], ends[1], CPI));
        receiving = Sas.comp(Sas.spec(mode, ends[0], ends[1], CPI));
        a.sad.insert(sending);
        b.sad.insert(receiving);
        if (mode == Mode.TUNNEL) {
            b.sad.insert(Sas.ipip(Sas.spec(mode, ends[0], ends[1], 1)));
        }
        int family = inner.equals("IPv4") ? 2 : 10;
        a.policy(Direction.OUT, Selector.any(family), Sas.of(IpProtocol.COMP, Sas.template(mode, ends[0], ends[1])));
        b.policy(
                Direction.IN,
                Selector.any(family),
                Sas.of(IpProtocol.COMP, Sas.template(mode, ends[0], ends[1], 1, true)));
    }

    private static Frames frames(Mode mode, String inner, String outer) {
        String[] ends = outer.equals("IPv4") ? new String[] {A, B} : new String[] {A6, B6};
        if (mode == Mode.TUNNEL) {
            ends = inner.equals("IPv4") ? new String[] {"10.1.0.1", "10.2.0.1"} : new String[] {"fd01::1", "fd02::1"};
        }
        return Frames.udp(ends[0], ends[1]);
    }

    @ParameterizedTest(name = "{0} {1} in {2}")
    @CsvSource({
        "TRANSPORT, IPv4, IPv4",
        "TRANSPORT, IPv6, IPv6",
        "TUNNEL, IPv4, IPv4",
        "TUNNEL, IPv6, IPv4",
        "TUNNEL, IPv4, IPv6",
        "TUNNEL, IPv6, IPv6"
    })
    void shouldDeliverUnchangedWhetherItGotSmallerOrNot(Mode mode, String inner, String outer) {
        pair(mode, inner, outer);
        long bytes = 0;
        long compressedBytes = 0;
        Random random = new Random(3);
        for (int payload : new int[] {0, 10, 80, 81, 82, 100, 600, 1300, 1400}) {
            for (boolean noise : new boolean[] {false, true}) {
                Frames frames = frames(mode, inner, outer).bytes(payload);
                byte[] upper = Arrays.copyOfRange(frames.packet(), frames.isIpv4() ? 20 : 40, frames.packet().length);
                if (noise) {
                    random.nextBytes(upper);
                } else {
                    Arrays.fill(upper, Math.min(upper.length, 8), upper.length, (byte) 'x');
                }
                frames = frames.payload(IpProtocol.GRE, upper);
                upper[0] = 0;
                byte[] frame = frames.frame();
                List<byte[]> wire = a.send(frame);
                IpPacket view = Frames.view(wire.getFirst());
                int protectedBytes = mode == Mode.TUNNEL ? frames.packet().length : upper.length;
                boolean smaller = view.protocol == IpProtocol.COMP;
                // The zeros of an IPv6 header alone make noise smaller.
                boolean compressible =
                        protectedBytes >= 90 && (!noise || (mode == Mode.TUNNEL && inner.equals("IPv6") && smaller));
                assertEquals(compressible, smaller, protectedBytes + " bytes");
                assertTrue(!smaller || view.payloadBytes() < protectedBytes);
                List<byte[]> arrived = b.receive(wire);
                assertEquals(1, arrived.size(), b.stats::toProcText);
                assertArrayEquals(frames.packet(), Frames.packet(arrived.getFirst()));
                bytes += protectedBytes;
                compressedBytes += smaller ? protectedBytes : 0;
                assertEquals(bytes, sending.usage().bytes());
                assertEquals(compressedBytes, receiving.usage().bytes());
            }
        }
        assertEquals(0, sending.sequence().last(), "IPComp has no numbers");
    }

    /** The header: next header, no flags, CPI; then raw DEFLATE. */
    @Test
    void shouldWriteWhatRfc3173Says() throws Exception {
        pair(Mode.TRANSPORT, "IPv4", "IPv4");
        byte[] upper = new byte[500];
        IpPacket view = Frames.view(
                a.send(Frames.udp(A, B).payload(IpProtocol.GRE, upper).frame()).getFirst());
        assertEquals(IpProtocol.GRE << 24 | CPI, Bytes.i32(view.data(), view.payload));
        java.util.zip.Inflater inflater = new java.util.zip.Inflater(true);
        inflater.setInput(view.data(), view.payload + 4, view.payloadBytes() - 4);
        byte[] text = new byte[600];
        assertEquals(500, inflater.inflate(text));
        assertTrue(inflater.finished());
        inflater.end();
    }

    private static byte[] deflated(byte[] text) {
        Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION, true);
        deflater.setInput(text);
        deflater.finish();
        byte[] out = new byte[text.length + 100];
        int bytes = deflater.deflate(out);
        deflater.end();
        return Arrays.copyOf(out, bytes);
    }

    private byte[] comp(byte[] compressed) {
        byte[] upper = new byte[4 + compressed.length];
        Bytes.putI32(upper, 0, IpProtocol.GRE << 24 | CPI);
        System.arraycopy(compressed, 0, upper, 4, compressed.length);
        return Frames.udp(A, B).inbound().payload(IpProtocol.COMP, upper).frame();
    }

    @Test
    void shouldOpenUpToTheKernelsBoundAndDropABomb() {
        pair(Mode.TRANSPORT, "IPv4", "IPv4");
        assertEquals(1, b.receive(comp(deflated(new byte[65400]))).size(), b.stats::toProcText);
        assertEquals(65400, receiving.usage().bytes());
        assertEquals(0, b.receive(comp(deflated(new byte[65401]))).size());
        assertEquals(0, b.receive(comp(deflated(new byte[1_000_000]))).size());
        assertEquals(2, b.drops(DropReason.IN_STATE_PROTO_ERROR));
    }

    /** Cut short, no DEFLATE at all, or larger than what it holds. */
    @ParameterizedTest
    @ValueSource(strings = {"", "00", "ff", "0102030405060708", "4b4c4a06", "010500faff68656c6c6f"})
    void shouldDropWhatIsNoPacket(String content) {
        pair(Mode.TRANSPORT, "IPv4", "IPv4");
        assertEquals(0, b.receive(comp(HexFormat.of().parseHex(content))).size());
        assertEquals(1, b.drops(DropReason.IN_STATE_PROTO_ERROR));
        assertEquals(0, receiving.usage().packets());
    }

    @Test
    void shouldDropTruncatedStreamsAtEveryLength() {
        pair(Mode.TRANSPORT, "IPv4", "IPv4");
        byte[] whole = deflated("what is this, and what was that, and what will it be?"
                .repeat(9)
                .getBytes());
        for (int bytes = 0; bytes < whole.length; bytes++) {
            assertEquals(0, b.receive(comp(Arrays.copyOf(whole, bytes))).size(), bytes + " bytes");
        }
        assertEquals(1, b.receive(comp(whole)).size());
    }

    @Test
    void shouldDropAHeaderCutShortAndACpiThatNobodyHas() {
        pair(Mode.TRANSPORT, "IPv4", "IPv4");
        b.receive(
                Frames.udp(A, B).inbound().payload(IpProtocol.COMP, new byte[3]).frame());
        assertEquals(1, b.drops(DropReason.IN_HDR_ERROR));
        b.receive(Frames.udp(A, B)
                .inbound()
                .payload(IpProtocol.COMP, new byte[] {17, 0, 0, 2, 1, 1})
                .frame());
        assertEquals(1, b.drops(DropReason.IN_NO_STATES));
    }

    /** A kernel gives it no number, and a window then takes none. */
    @Test
    void shouldDropAsReplayWhereTheStateHasAWindow() {
        pair(Mode.TRANSPORT, "IPv4", "IPv4");
        b.sad.remove(receiving);
        StateSpecBuilder spec = receiving.spec().toBuilder().replayWindow(32);
        b.sad.insert(new State(spec.build(), State.Phase.VALID, receiving.usage(), receiving.suite()));
        assertEquals(
                0,
                b.receive(a.send(Frames.udp(A, B)
                                .payload(IpProtocol.GRE, new byte[500])
                                .frame()))
                        .size());
        assertEquals(1, b.drops(DropReason.IN_STATE_SEQ_ERROR));
    }

    /** IP in IP that no IPComp State is beside of is the host's own business. */
    @Test
    void shouldLeaveOtherIpInIpAlone() {
        TestHost host = new TestHost(B);
        byte[] inner = Frames.udp("10.1.0.1", "10.2.0.1").packet();
        byte[] frame =
                Frames.udp(A, B).inbound().payload(IpProtocol.IPIP, inner).frame();
        List<byte[]> arrived = host.receive(frame);
        assertArrayEquals(frame, arrived.getFirst());
    }

    /** Bare IP in IP does not come in where the policy wants more than optional compression. */
    @Test
    void shouldNotTakeABareTunnelForProtection() {
        pair(Mode.TUNNEL, "IPv4", "IPv4");
        Template esp = Sas.template(Mode.TRANSPORT, A, B, 1, false);
        Template comp = Sas.of(IpProtocol.COMP, Sas.template(Mode.TUNNEL, A, B, 1, true));
        b.policy(Direction.IN, Selector.any(2), comp, esp);
        assertEquals(
                0,
                b.receive(a.send(Frames.udp("10.1.0.1", "10.2.0.1").bytes(10).frame()))
                        .size());
        assertEquals(1, b.drops(DropReason.IN_TMPL_MISMATCH));
    }
}
