package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;

/**
 * Packets up to the longest of each family, as a host's stack sends them, through every protocol and mode: what arrives
 * is what was sent. Linux 6.1 delivers the same ones.
 */
class EverySizeTest {
    private static final String[] OUTER = {"192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"};
    private static final String[] INNER = {"10.1.0.1", "10.2.0.1", "fd01::1", "fd02::1"};
    private static final int[] SIZES = {100, 1280, 1501, 1540, 2000, 3000, 10000, 30000, 60000, 65400};

    enum Content {
        ZEROS,
        NOISE
    }

    private final TestHost host = new TestHost(OUTER[0], OUTER[2], INNER[0], INNER[2]);
    private final TestHost peer = new TestHost(OUTER[1], OUTER[3], INNER[1], INNER[3]);

    /** Families as 4 and 6, protocol 0 for none. */
    private void protect(int protocol, Mode mode, int inner, int outer) {
        if (protocol == 0) {
            return;
        }
        String near = OUTER[outer - 4];
        String far = OUTER[outer - 3];
        for (TestHost end : List.of(host, peer)) {
            StateSpecBuilder spec = Sas.spec(mode, near, far, 7);
            end.sad.insert(
                    switch (protocol) {
                        case IpProtocol.AH -> Sas.ah(spec, "hmac(sha256)");
                        case IpProtocol.COMP -> Sas.comp(spec);
                        default -> Sas.state(spec);
                    });
            if (protocol == IpProtocol.COMP && mode == Mode.TUNNEL) {
                end.sad.insert(Sas.ipip(Sas.spec(mode, near, far, 1)));
            }
            Direction direction = end == host ? Direction.OUT : Direction.IN;
            boolean optional = direction == Direction.IN && protocol == IpProtocol.COMP;
            Template template = Sas.of(protocol, Sas.template(mode, near, far, 1, optional));
            end.policy(direction, Selector.any(inner == 4 ? AddressFamily.INET : AddressFamily.INET6), template);
        }
    }

    private static Frames frames(Mode mode, int inner, int packetBytes, Content content) {
        String[] ends = mode == Mode.TUNNEL ? INNER : OUTER;
        byte[] upper = new byte[packetBytes - (inner == 4 ? 20 : 40)];
        if (content == Content.NOISE) {
            new Random(packetBytes).nextBytes(upper);
        }
        upper[0] = 0;
        return Frames.udp(ends[inner - 4], ends[inner - 3]).payload(IpProtocol.GRE, upper);
    }

    private void assertArrives(Frames frames) {
        byte[] packet = frames.packet();
        byte[] frame = frames.frame();
        List<byte[]> sent = packet.length > 1500 ? ReassemblyTest.fragments(frame, 1500) : List.of(frame);
        List<byte[]> wire = host.send(sent.toArray(new byte[0][]));
        wire.forEach(each -> assertTrue(Frames.packet(each).length <= 1500));
        byte[] arrived = whole(peer.receive(wire));
        assertArrayEquals(packet, arrived, () -> packet.length + " bytes, " + peer.stats.toProcText());
    }

    /** As the peer's stack puts it together; null if it does not arrive. */
    private static byte[] whole(List<byte[]> frames) {
        if (frames.size() == 1) {
            return Frames.packet(frames.getFirst());
        }
        Reassembly reassembly = new Reassembly(new PacketPool(8));
        PacketBuffer whole = null;
        for (byte[] frame : frames) {
            whole = reassembly.add(Frames.view(frame), new SecPath(), 0);
        }
        return whole == null ? null : Arrays.copyOfRange(whole.data, whole.offset + 14, whole.offset + whole.length);
    }

    static Stream<Arguments> ways() {
        return Stream.of(0, IpProtocol.ESP, IpProtocol.AH, IpProtocol.COMP)
                .flatMap(protocol -> Stream.of(Mode.TUNNEL, Mode.TRANSPORT)
                        .flatMap(mode -> Stream.of(44, 46, 64, 66)
                                .filter(families -> mode == Mode.TUNNEL || families % 11 == 0)
                                .map(families -> Arguments.of(protocol, mode, families / 10, families % 10))));
    }

    @ParameterizedTest(name = "protocol {0} {1} IPv{2} in IPv{3}")
    @MethodSource("ways")
    void shouldArriveWhateverItsLength(int protocol, Mode mode, int inner, int outer) {
        protect(protocol, mode, inner, outer);
        for (int size : SIZES) {
            assertArrives(frames(mode, inner, size, Content.ZEROS));
            assertArrives(frames(mode, inner, size, Content.NOISE));
        }
    }

    /** The length field of IPv6 counts no header. Transport mode leaves less room. */
    @ParameterizedTest(name = "protocol {0} {1} in IPv{2}: {3}")
    @CsvSource({
        "0, TUNNEL, 6, 65575",
        "50, TUNNEL, 6, 65575",
        "50, TUNNEL, 4, 65575",
        "51, TUNNEL, 6, 65575",
        "51, TUNNEL, 4, 65575",
        "108, TUNNEL, 6, 65575",
        "108, TUNNEL, 4, 65575",
        "50, TRANSPORT, 6, 65536",
        "51, TRANSPORT, 6, 65536"
    })
    void shouldArriveInIpv6UpToTheLongest(int protocol, Mode mode, int outer, int size) {
        protect(protocol, mode, 6, outer);
        assertArrives(frames(mode, 6, size, Content.NOISE));
    }

    /** What would be longer with its headers than any packet, and what no receiver decompresses. */
    @ParameterizedTest(name = "protocol {0} {1} IPv{2} in IPv{3}: {4} {5}")
    @CsvSource({
        "50, TUNNEL, 4, 4, 65500, NOISE",
        "50, TRANSPORT, 6, 6, 65575, NOISE",
        "51, TRANSPORT, 4, 4, 65535, ZEROS",
        "108, TRANSPORT, 6, 6, 65450, ZEROS",
        "108, TUNNEL, 4, 4, 65450, ZEROS"
    })
    void shouldBeDroppedWhereAKernelDropsIt(int protocol, Mode mode, int inner, int outer, int size, Content content) {
        protect(protocol, mode, inner, outer);
        byte[] frame = frames(mode, inner, size, content).frame();
        List<byte[]> wire = host.send(ReassemblyTest.fragments(frame, 1500).toArray(new byte[0][]));
        assertEquals(0, peer.receive(wire).size());
        assertEquals(1, host.drops(DropReason.OUT_ERROR) + peer.drops(DropReason.IN_STATE_PROTO_ERROR));
    }
}
