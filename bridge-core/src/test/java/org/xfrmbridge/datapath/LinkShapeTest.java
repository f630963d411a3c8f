package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.io.StaticNetwork;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.MacAddress;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.Template;

/**
 * Whatever a frame looks like around an IP packet, the packet does not pass a policy unseen; what is no IP passes
 * always.
 */
class LinkShapeTest {
    private static final int FRAMES = 20_000;
    private static final long SEED = 20261129;
    private static final byte[] TO_HOST = Frames.udp("10.2.0.1", "10.1.0.1").packet();
    private static final byte[] TO_HOST6 = Frames.udp("fd02::1", "fd01::1").packet();
    private static final byte[] FORWARDED = Frames.udp("10.2.0.1", "10.3.0.1").packet();
    private static final byte[] BROADCAST =
            Frames.udp("0.0.0.0", "255.255.255.255").packet();
    private static final byte[] ALL_HOSTS = Frames.udp("0.0.0.0", "224.0.0.1").packet();
    private static final List<byte[]> PACKETS = List.of(TO_HOST, TO_HOST6, FORWARDED, BROADCAST, ALL_HOSTS);

    private final TestHost host = new TestHost("10.1.0.1", "fd01::1");

    private void blockAll() {
        for (Direction direction : Direction.values()) {
            host.policy(direction, Selector.any(AddressFamily.INET), PolicySpec.Action.BLOCK, 1);
            host.policy(direction, Selector.any(AddressFamily.INET6), PolicySpec.Action.BLOCK, 1);
        }
    }

    private static byte[] wrapped(LinkShape.Wrapping wrapping) {
        return new LinkShape(StaticNetwork.HOST_MAC, new int[0], wrapping).frame(StaticNetwork.GATEWAY_MAC, TO_HOST);
    }

    @Test
    void shouldPassNoShapeBesidePoliciesThatBlock() {
        blockAll();
        SplittableRandom random = new SplittableRandom(SEED);
        for (int i = 0; i < FRAMES; i++) {
            LinkShape shape = LinkShape.random(random);
            byte[] frame = shape.frame(StaticNetwork.GATEWAY_MAC, PACKETS.get(i % PACKETS.size()));
            assertEquals(0, host.receive(frame.clone()).size(), () -> "in: " + shape);
            assertEquals(0, host.send(frame).size(), () -> "out: " + shape);
        }
    }

    @Test
    void shouldChangeNoShapeWhileThereAreNoPolicies() {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int i = 0; i < FRAMES; i++) {
            LinkShape shape = LinkShape.random(random);
            byte[] frame = shape.frame(StaticNetwork.GATEWAY_MAC, PACKETS.get(i % PACKETS.size()));
            assertArrayEquals(frame, host.receive(frame.clone()).getFirst(), shape::toString);
            assertArrayEquals(frame, host.send(frame.clone()).getFirst(), shape::toString);
        }
    }

    @ParameterizedTest
    @EnumSource(LinkShape.Wrapping.class)
    void shouldPassWhatCannotBeReadUnlessThereArePolicies(LinkShape.Wrapping wrapping) {
        byte[] frame = wrapped(wrapping);
        assertEquals(1, host.receive(frame.clone()).size());
        host.policy(Direction.FWD, Sas.between("10.8.0.0/16", "10.9.0.0/16"), PolicySpec.Action.BLOCK, 1);
        assertEquals(
                wrapping == LinkShape.Wrapping.NONE ? 1 : 0,
                host.receive(frame.clone()).size());
        assertEquals(1, host.send(frame.clone()).size(), "policies of dir out count for what leaves");
        host.policy(Direction.OUT, Sas.between("10.8.0.0/16", "10.9.0.0/16"), PolicySpec.Action.BLOCK, 1);
        assertEquals(
                wrapping == LinkShape.Wrapping.NONE ? 1 : 0, host.send(frame).size());
    }

    @Test
    void shouldNotPassWhatCannotBeReadWhereTheDefaultIsToBlock() {
        byte[] frame = wrapped(LinkShape.Wrapping.SNAP);
        host.spd.setDefaultAction(Direction.IN, PolicySpec.Action.BLOCK);
        host.spd.setDefaultAction(Direction.OUT, PolicySpec.Action.BLOCK);
        assertEquals(0, host.receive(frame.clone()).size() + host.send(frame).size());
        assertEquals(1, host.drops(DropReason.IN_HDR_ERROR));
        assertEquals(1, host.drops(DropReason.OUT_ERROR));
    }

    /** ARP, LLDP, EAPOL, PTP, PPPoE discovery, spanning tree, NetBIOS, IS-IS, CDP and an EtherType for experiments. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "0806 0001",
                "88cc 0207",
                "888e 0100",
                "88f7 0002",
                "8863 1109",
                "88b5 4500",
                "8809 0101",
                "0026 424203 0000000000",
                "0010 f0f0032c00ffefff",
                "0040 fefe0383 1b010011",
                "0040 aaaa03 00000c 2000 02b4",
                "0040 aaaa03 000000 88cc 0207",
                "0004 06060300"
            })
    void shouldPassWhatIsNoIp(String behindAddresses) {
        blockAll();
        byte[] frame = HexFormat.of().parseHex("020000000001" + "0200000000fe" + behindAddresses.replace(" ", ""));
        assertArrayEquals(frame, host.receive(frame.clone()).getFirst());
        assertArrayEquals(frame, host.send(frame.clone()).getFirst());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, Ethernet.MAX_TAGS})
    void shouldOpenBehindTagsAndLeaveThemOn(int tags) {
        TestHost peer = new TestHost("192.0.2.2", "10.2.0.1");
        Template template = Sas.template(Mode.TUNNEL, "192.0.2.1", "192.0.2.2");
        host.policy(Direction.OUT, Sas.between("10.1.0.0/16", "10.2.0.0/16"), template);
        peer.policy(Direction.IN, Sas.between("10.1.0.0/16", "10.2.0.0/16"), template);
        for (TestHost each : new TestHost[] {host, peer}) {
            each.sad.insert(Sas.state(Sas.spec(Mode.TUNNEL, "192.0.2.1", "192.0.2.2", 7)));
        }
        LinkShape shape = LinkShape.of(0, tags, 0x35, 0);
        byte[] inner = Frames.udp("10.1.0.1", "10.2.0.1").packet();
        byte[] sealed = Frames.packet(
                host.send(shape.frame(StaticNetwork.GATEWAY_MAC, inner)).getFirst());
        byte[] opened =
                peer.receive(shape.frame(StaticNetwork.GATEWAY_MAC, sealed)).getFirst();
        assertArrayEquals(shape.frame(StaticNetwork.GATEWAY_MAC, inner), opened);
    }

    /** Its way is another than the inner packet's, which the tags are of. */
    @Test
    void shouldSendTheOuterPacketOfATunnelUntagged() {
        Template template = Sas.template(Mode.TUNNEL, "192.0.2.1", "192.0.2.2");
        host.policy(Direction.OUT, Sas.between("10.1.0.0/16", "10.2.0.0/16"), template);
        host.sad.insert(Sas.state(Sas.spec(Mode.TUNNEL, "192.0.2.1", "192.0.2.2", 7)));
        byte[] inner = Frames.udp("10.1.0.1", "10.2.0.1").packet();
        byte[] tagged = LinkShape.plain(0x8100_0005, 0x8100_0006).frame(StaticNetwork.HOST_MAC, inner);
        byte[] sent = host.send(tagged).getFirst();
        assertEquals(Ethernet.TYPE_IPV4, Bytes.u16(sent, Ethernet.TYPE));
        assertEquals(StaticNetwork.GATEWAY_MAC, MacAddress.read(sent, Ethernet.DESTINATION));
    }

    /** The host may have got another link address a moment ago. */
    @Test
    void shouldOpenWhatIsForTheHostToAnyLinkAddress() {
        Template template = Sas.template(Mode.TRANSPORT, "0.0.0.0", "0.0.0.0");
        TestHost peer = new TestHost("10.2.0.1");
        peer.policy(Direction.OUT, Sas.between("10.2.0.0/16", "10.1.0.0/16"), template);
        host.policy(Direction.IN, Sas.between("10.2.0.0/16", "10.1.0.0/16"), template);
        for (TestHost each : new TestHost[] {host, peer}) {
            each.sad.insert(Sas.state(Sas.spec(Mode.TRANSPORT, "10.2.0.1", "10.1.0.1", 7)));
        }
        byte[] sealed = Frames.packet(
                peer.send(Frames.udp("10.2.0.1", "10.1.0.1").frame()).getFirst());
        LinkShape shape = new LinkShape(0x0200_0000_0099L, new int[0], LinkShape.Wrapping.NONE);
        assertArrayEquals(
                shape.frame(1, TO_HOST), host.receive(shape.frame(1, sealed)).getFirst());
        assertEquals(0, host.receive(shape.frame(1, TO_HOST)).size());
    }
}
