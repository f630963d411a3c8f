package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.ReplayState;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateFlags;
import org.xfrmbridge.xfrm.StateSpecBuilder;

/**
 * Two whole datapaths back to back: what leaves one stack arrives at the other, unchanged, in every mode over every
 * family.
 */
class PairTest {
    private static final int[] PAYLOADS = {0, 1, 2, 3, 15, 16, 100, 1000, 1300};
    private static final String[] INNER = {"10.1.0.1", "10.2.0.1"};
    private static final String[] INNER6 = {"fd01::1", "fd02::1"};
    private static final String[] OUTER = {"192.0.2.1", "192.0.2.2"};
    private static final String[] OUTER6 = {"2001:db8::1", "2001:db8::2"};

    record Case(Mode mode, int innerFamily, int outerFamily, boolean udp, Sas.Cipher suite, boolean esn) {
        String[] inner() {
            return mode == Mode.TRANSPORT ? outer() : innerFamily == AddressFamily.INET ? INNER : INNER6;
        }

        String[] outer() {
            return outerFamily == AddressFamily.INET ? OUTER : OUTER6;
        }
    }

    static List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        int[] families = {AddressFamily.INET, AddressFamily.INET6};
        for (Mode mode : new Mode[] {Mode.TRANSPORT, Mode.TUNNEL, Mode.BEET}) {
            for (int inner : families) {
                for (int outer : families) {
                    for (Sas.Cipher suite : Sas.Cipher.values()) {
                        for (int bits = 0; bits < 4; bits++) {
                            if (mode != Mode.TRANSPORT || inner == outer) {
                                cases.add(new Case(mode, inner, outer, (bits & 1) != 0, suite, (bits & 2) != 0));
                            }
                        }
                    }
                }
            }
        }
        return cases;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void shouldDeliverUnchangedWhatTheOtherEndSent(Case test) {
        TestHost a = new TestHost(OUTER[0], OUTER6[0], INNER[0], INNER6[0]);
        TestHost b = new TestHost(OUTER[1], OUTER6[1], INNER[1], INNER6[1]);
        State sending = install(a, Direction.OUT, test);
        State receiving = install(b, Direction.IN, test);
        long bytes = 0;
        for (int payload : PAYLOADS) {
            Frames frames =
                    Frames.udp(test.inner()[0], test.inner()[1]).bytes(payload).dontFragment();
            frames.ttl = 37;
            List<byte[]> wire = a.send(frames.frame());
            assertEquals(1, wire.size(), () -> a.stats.toProcText());
            assertOuter(test, wire.getFirst());
            List<byte[]> arrived = b.receive(wire);
            assertEquals(1, arrived.size(), () -> b.stats.toProcText());
            assertArrayEquals(frames.packet(), Frames.packet(arrived.getFirst()));
            bytes += protectedBytes(test, frames.packet());
            assertEquals(bytes, sending.usage().bytes());
            assertEquals(bytes, receiving.usage().bytes());
        }
        assertEquals(PAYLOADS.length, sending.usage().packets());
        assertEquals(PAYLOADS.length, receiving.usage().packets());
        assertEquals(0, a.stats.outbound(Metric.DROPPED) + b.stats.inbound(Metric.DROPPED));
        assertEquals(1, a.network.resolved(), "the bundle was made once");
    }

    /** The inner header is left out; its options are not. */
    @ParameterizedTest
    @ValueSource(ints = {4, 8, 12, 16, 36, 40})
    void shouldCarryIpv4OptionsThroughBeetMode(int optionBytes) {
        Case test = new Case(Mode.BEET, AddressFamily.INET, AddressFamily.INET, false, Sas.Cipher.GCM, false);
        TestHost a = new TestHost(OUTER[0], INNER[0]);
        TestHost b = new TestHost(OUTER[1], INNER[1]);
        install(a, Direction.OUT, test);
        install(b, Direction.IN, test);
        Frames frames = Frames.udp(INNER[0], INNER[1]);
        frames.options = new byte[optionBytes];
        frames.options[0] = 1;
        frames.options[optionBytes - 2] = 1;
        frames.id = 77;
        List<byte[]> wire = a.send(frames.frame());
        assertEquals(20, Frames.view(wire.getFirst()).payload - Frames.view(wire.getFirst()).offset);
        assertArrayEquals(frames.packet(), Frames.packet(b.receive(wire).getFirst()));
    }

    /** In tunnel mode a kernel counts the inner packet, else what comes behind the header. */
    private static int protectedBytes(Case test, byte[] packet) {
        int headerBytes = test.innerFamily() == AddressFamily.INET ? 20 : 40;
        return test.mode() == Mode.TUNNEL ? packet.length : packet.length - headerBytes;
    }

    private static void assertOuter(Case test, byte[] frame) {
        IpPacket outer = Frames.view(frame);
        assertEquals(test.outerFamily(), outer.family);
        assertEquals(test.udp() ? IpProtocol.UDP : IpProtocol.ESP, outer.protocol);
        int esp = outer.payload + (test.udp() ? 8 : 0);
        assertEquals(0x1234, Bytes.i32(outer.data(), esp));
        if (test.suite() != Sas.Cipher.NULL_SHA1) {
            // The payload counts up: bytes that must not be seen.
            assertEquals(-1, HexFormat.of().formatHex(frame).indexOf("08090a0b0c0d0e0f"));
        }
    }

    private static State install(TestHost host, Direction direction, Case test) {
        String[] ends = test.outer();
        StateSpecBuilder spec = Sas.spec(test.mode(), ends[0], ends[1], 0x1234);
        if (test.mode() == Mode.BEET) {
            spec.selector(Sas.between(host(test.inner()[0]), host(test.inner()[1])));
        }
        if (test.udp()) {
            spec.encapsulation(new Encapsulation(Encapsulation.UDP_ENCAP_ESPINUDP, 4500, 4500, Address.ANY));
            LocalEndpoint at = new LocalEndpoint(test.outerFamily(), IpProtocol.UDP, Address.ANY, 4500);
            host.sockets.setEncapsulation("test", 1, at, Encapsulation.UDP_ENCAP_ESPINUDP);
            Selector any = Selector.any(test.outerFamily());
            host.sockets.setPolicy(
                    "test",
                    1,
                    at,
                    TestHost.spec(Direction.IN, any, PolicySpec.Action.ALLOW, 0, PolicySpec.Type.MAIN),
                    1);
        }
        if (test.esn()) {
            spec.flags(spec.flags() | StateFlags.ESN);
            spec.replay(new ReplayState(5, direction == Direction.IN ? 5 : 0, 7, 7, 128, new int[4]));
        }
        State state = Sas.state(spec, test.suite());
        host.sad.insert(state);
        host.policy(
                direction,
                Sas.between(host(test.inner()[0]), host(test.inner()[1])),
                Sas.template(test.mode(), ends[0], ends[1]));
        return state;
    }

    private static String host(String address) {
        return address + (Sas.family(address) == AddressFamily.INET ? "/32" : "/128");
    }
}
