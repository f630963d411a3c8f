package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.zip.Deflater;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;

/** Anything at all may come from either side: it is sent on or counted as dropped, and nothing is thrown. Seeded. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class FuzzTest {
    private static final int ROUNDS = 60_000;
    private static final int[] PROTOCOLS = {0, 1, 4, 6, 17, 41, 43, 44, 47, 50, 51, 58, 59, 60, 94, 108, 132, 135, 136};

    private final Random random = new Random(4303);
    private final TestHost host = new TestHost("192.0.2.1", "2001:db8::1", "10.1.0.1", "fd01::1");
    private final TestHost peer = new TestHost("192.0.2.2", "2001:db8::2", "10.2.0.1", "fd02::1");

    /** Tunnel, transport, BEET and ESP in UDP between the two, cleartext allowed beside it. */
    @BeforeEach
    void connect() {
        int spi = 100;
        for (String[] ends : new String[][] {{"192.0.2.1", "192.0.2.2"}, {"2001:db8::1", "2001:db8::2"}}) {
            int family = Sas.family(ends[0]);
            String prefix = family == AddressFamily.INET ? "/32" : "/128";
            boolean v4 = family == AddressFamily.INET;
            String[] inner = {v4 ? "10.1.0.1/32" : "fd01::1/128", v4 ? "10.2.0.1/32" : "fd02::1/128"};
            LocalEndpoint at = new LocalEndpoint(family, IpProtocol.UDP, Address.ANY, 4500);
            peer.sockets.setEncapsulation("test", family, at, Encapsulation.UDP_ENCAP_ESPINUDP);
            for (Mode mode : new Mode[] {Mode.TUNNEL, Mode.BEET, Mode.TRANSPORT}) {
                boolean transport = mode == Mode.TRANSPORT;
                Selector selector = transport
                        ? Sas.between(ends[0] + prefix, ends[1] + prefix)
                        : Sas.between(inner[0], inner[1], IpProtocol.UDP, mode == Mode.BEET ? 2222 : 0);
                int priority = mode == Mode.BEET ? 1 : 2;
                host.policy(
                        Direction.OUT,
                        selector,
                        PolicySpec.Action.ALLOW,
                        priority,
                        Sas.template(mode, ends[0], ends[1], spi, false));
                StateSpecBuilder spec =
                        Sas.spec(mode, ends[0], ends[1], spi).reqid(spi++).replayWindow(0);
                if (mode == Mode.BEET) {
                    spec.selector(Sas.between(inner[0], inner[1]))
                            .encapsulation(
                                    new Encapsulation(Encapsulation.UDP_ENCAP_ESPINUDP, 4500, 4500, Address.ANY));
                }
                host.sad.insert(Sas.state(spec, Sas.Cipher.NULL_SHA1));
                peer.sad.insert(Sas.state(spec, Sas.Cipher.NULL_SHA1));
            }
        }
    }

    @Test
    void shouldSurviveRandomBytes() {
        List<byte[]> frames = new ArrayList<>();
        for (int i = 0; i < ROUNDS; i++) {
            frames.add(randomFrame());
        }
        assertAllAccountedFor(frames);
    }

    @Test
    void shouldSurvivePacketsWithBytesChangedAndCutOff() {
        List<byte[]> seeds = new ArrayList<>(List.of(
                Frames.udp("10.1.0.1", "10.2.0.1").frame(),
                Frames.udp("fd01::1", "fd02::1").frame(),
                Frames.udp("192.0.2.1", "192.0.2.2").frame(),
                Frames.udp("2001:db8::1", "2001:db8::2").frame(),
                withExtensions()));
        seeds.addAll(host.send(seeds.toArray(new byte[0][])));
        List<byte[]> frames = new ArrayList<>();
        for (int i = 0; i < ROUNDS; i++) {
            frames.add(mutated(seeds.get(random.nextInt(seeds.size()))));
        }
        assertAllAccountedFor(frames);
    }

    /** Authenticated is not well formed: a peer may seal anything. */
    @Test
    void shouldSurviveAnythingThatAPeerSeals() {
        for (int spi = 100; spi < 106; spi++) {
            String self = spi < 103 ? "192.0.2.2" : "2001:db8::2";
            State state = peer.sad.lookup(new StateId(Address.parse(self), spi, IpProtocol.ESP), Sas.family(self), 0);
            StateSpecBuilder bare = state.spec().toBuilder().encapsulation(null);
            state.respec(bare.build());
        }
        for (int i = 0; i < ROUNDS / 4; i++) {
            boolean v4 = random.nextBoolean();
            Frames carrier = v4 ? Frames.udp("192.0.2.1", "192.0.2.2") : Frames.udp("2001:db8::1", "2001:db8::2");
            byte[] contents = random.nextBoolean()
                    ? cut(randomPacket())
                    : cut(mutated(Frames.udp("10.1.0.1", "10.2.0.1").packet()));
            int protocol = PROTOCOLS[random.nextInt(PROTOCOLS.length)];
            for (byte[] sealed : host.send(carrier.payload(protocol, contents).frame())) {
                int esp = v4 ? 34 : 54;
                // The same key under every Spi: what was sealed in transport mode is opened as tunnel, BEET or
                // transport mode.
                int first = v4 ? 100 : 103;
                Bytes.putI32(sealed, esp, first + random.nextInt(3));
                resign(sealed, esp);
                peer.receive(List.of(sealed));
            }
        }
        assertEquals(
                peer.stats.inbound(Metric.DROPPED),
                Arrays.stream(DropReason.ALL).mapToLong(peer::drops).sum());
        assertTrue(peer.drops(DropReason.IN_STATE_MODE_ERROR) > 0);
        assertEquals(0, peer.drops(DropReason.IN_STATE_MISMATCH));
        assertTrue(peer.drops(DropReason.IN_STATE_PROTO_ERROR) > 0, "dummy packets");
    }

    /**
     * AH without a MAC and IPComp let everything through to those who read headers, options and what comes out of the
     * codec.
     */
    @Test
    void shouldSurviveAnythingInAhAndIpComp() {
        int spi = 200;
        for (String[] ends : new String[][] {{"192.0.2.1", "192.0.2.2"}, {"2001:db8::1", "2001:db8::2"}}) {
            for (Mode mode : new Mode[] {Mode.TRANSPORT, Mode.TUNNEL, Mode.BEET}) {
                for (TestHost at : List.of(host, peer)) {
                    at.sad.insert(Sas.ah(openTo(mode, ends, spi), "digest_null"));
                    if (mode != Mode.BEET) {
                        at.sad.insert(Sas.comp(openTo(mode, ends, spi)));
                    }
                }
                spi++;
            }
            peer.sad.insert(Sas.ipip(openTo(Mode.TUNNEL, ends, 1)));
            Template ah = Sas.of(IpProtocol.AH, Sas.template(Mode.TRANSPORT, ends[0], ends[1], 0, false));
            host.policy(Direction.OUT, Selector.any(Sas.family(ends[0])), PolicySpec.Action.ALLOW, 0, ah);
        }
        for (int i = 0; i < ROUNDS; i++) {
            byte[] frame = mutated(carrying(200 + random.nextInt(6)));
            peer.receive(frame);
            host.send(mutated(random.nextBoolean() ? withExtensions() : withOptions(new byte[0], IpProtocol.UDP)));
            host.stack.drain();
        }
        assertEquals(
                peer.stats.inbound(Metric.DROPPED),
                Arrays.stream(DropReason.ALL).mapToLong(peer::drops).sum());
        assertTrue(peer.drops(DropReason.IN_STATE_PROTO_ERROR) > 0 && peer.drops(DropReason.IN_STATE_MODE_ERROR) > 0);
        assertTrue(peer.stats.inbound(Metric.PROTECTED) > 0 && host.stats.outbound(Metric.PROTECTED) > 0);
    }

    private static StateSpecBuilder openTo(Mode mode, String[] ends, int spi) {
        return Sas.spec(mode, ends[0], ends[1], spi)
                .selector(
                        mode == Mode.BEET
                                ? Sas.between("10.1.0.1/32", "10.2.0.1/32")
                                : Selector.any(AddressFamily.UNSPEC))
                .reqid(0)
                .replayWindow(0);
    }

    /** A packet to one of the States of that number, with contents of any kind. */
    private byte[] carrying(int spi) {
        byte[] contents = random.nextBoolean()
                ? randomPacket()
                : Frames.udp("10.1.0.1", "10.2.0.1").packet();
        boolean v4 = spi < 203;
        int protocol = PROTOCOLS[random.nextInt(PROTOCOLS.length)];
        byte[] upper;
        if (random.nextBoolean()) {
            upper = new byte[16 + contents.length];
            Bytes.putI32(upper, 0, protocol << 24 | 2 << 16);
            Bytes.putI32(upper, 4, spi);
            System.arraycopy(contents, 0, upper, 16, contents.length);
            return v4
                    ? withOptions(upper, IpProtocol.AH)
                    : Frames.udp("2001:db8::1", "2001:db8::2")
                            .payload(IpProtocol.AH, upper)
                            .frame();
        }
        Deflater deflater = new Deflater(1, true);
        deflater.setInput(Arrays.copyOf(contents, 400));
        deflater.finish();
        upper = new byte[4 + 500];
        Bytes.putI32(upper, 0, protocol << 24 | spi);
        int bytes = deflater.deflate(upper, 4, 500);
        deflater.end();
        String[] ends = v4 ? new String[] {"192.0.2.1", "192.0.2.2"} : new String[] {"2001:db8::1", "2001:db8::2"};
        return Frames.udp(ends[0], ends[1])
                .payload(IpProtocol.COMP, Arrays.copyOf(upper, 4 + bytes))
                .frame();
    }

    private byte[] withOptions(byte[] upper, int protocol) {
        Frames frames = Frames.udp("192.0.2.1", "192.0.2.2");
        frames.options = new byte[4 * random.nextInt(11)];
        random.nextBytes(frames.options);
        return protocol == IpProtocol.UDP
                ? frames.frame()
                : frames.payload(protocol, upper).frame();
    }

    private static void resign(byte[] frame, int esp) {
        try {
            Mac mac = Mac.getInstance("HmacSHA1");
            mac.init(new SecretKeySpec(Sas.key(20), "HmacSHA1"));
            mac.update(frame, esp, frame.length - esp - 12);
            System.arraycopy(mac.doFinal(), 0, frame, frame.length - 12, 12);
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private void assertAllAccountedFor(List<byte[]> frames) {
        for (byte[] frame : frames) {
            host.send(frame);
            host.stack.drain();
            peer.receive(frame);
        }
        assertEquals(frames.size(), peer.stats.inbound(Metric.PACKETS));
        assertTrue(peer.stats.inbound(Metric.DROPPED) > 0 && host.stats.outbound(Metric.DROPPED) > 0);
        assertTrue(peer.stats.inbound(Metric.PASSED) > 0 && host.stats.outbound(Metric.PROTECTED) > 0);
        assertEquals(
                host.stats.outbound(Metric.DROPPED),
                Arrays.stream(DropReason.ALL).mapToLong(host::drops).sum());
        assertEquals(
                peer.stats.inbound(Metric.DROPPED),
                Arrays.stream(DropReason.ALL).mapToLong(peer::drops).sum());
    }

    private static byte[] withExtensions() {
        byte[] udp = Frames.udp("fd01::1", "fd02::1").packet();
        byte[] extended = new byte[udp.length - 40 + 32];
        // hop by hop, destination options, routing, destination options
        byte[] chain = {
            60, 0, 1, 4, 0, 0, 0, 0, 43, 0, 1, 4, 0, 0, 0, 0, 60, 0, 0, 0, 0, 0, 0, 0, 17, 0, 1, 4, 0, 0, 0, 0
        };
        System.arraycopy(chain, 0, extended, 0, 32);
        System.arraycopy(udp, 40, extended, 32, udp.length - 40);
        return Frames.udp("fd01::1", "fd02::1").payload(0, extended).frame();
    }

    private byte[] mutated(byte[] seed) {
        byte[] frame = seed.clone();
        for (int changes = random.nextInt(5); changes > 0; changes--) {
            // Headers are where it hurts.
            int at = random.nextInt(4) == 0 ? random.nextInt(frame.length) : random.nextInt(Math.min(frame.length, 90));
            frame[at] = (byte) (random.nextBoolean() ? random.nextInt() : frame[at] ^ 1 << random.nextInt(8));
        }
        return random.nextInt(3) == 0 ? cut(frame) : frame;
    }

    private byte[] cut(byte[] bytes) {
        return Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
    }

    private byte[] randomFrame() {
        byte[] packet = cut(randomPacket());
        byte[] frame = new byte[14 + packet.length];
        random.nextBytes(frame);
        System.arraycopy(packet, 0, frame, 14, packet.length);
        Bytes.putI32(frame, 0, 0x0200_0000);
        Bytes.putU16(frame, 4, 1);
        int type = random.nextInt(4);
        if (type < 3) {
            Bytes.putU16(frame, 12, new int[] {0x0800, 0x86dd, 0x8100}[type]);
        }
        return random.nextInt(10) == 0 ? cut(frame) : frame;
    }

    /** Random bytes that look enough like IP to come further than the first check. */
    private byte[] randomPacket() {
        byte[] packet = new byte[20 + random.nextInt(200)];
        random.nextBytes(packet);
        boolean v4 = random.nextBoolean();
        boolean inner = random.nextBoolean();
        byte[] like = v4
                ? Frames.udp("10.1.0.1", inner ? "10.2.0.1" : "192.0.2.2").packet()
                : Frames.udp("fd01::1", inner ? "fd02::1" : "2001:db8::2").packet();
        System.arraycopy(like, 0, packet, 0, Math.min(packet.length, v4 ? 20 : 40));
        packet[0] = (byte) ((v4 ? 0x40 : 0x60) | (v4 && random.nextInt(4) > 0 ? 5 : random.nextInt(16)));
        packet[v4 ? 9 : 6] = (byte) PROTOCOLS[random.nextInt(PROTOCOLS.length)];
        int right = v4 ? packet.length : Math.max(0, packet.length - 40);
        Bytes.putU16(packet, v4 ? 2 : 4, random.nextInt(4) == 0 ? random.nextInt(300) : right);
        if (v4) {
            Bytes.putU16(packet, 6, random.nextInt(4) == 0 ? random.nextInt() : 0);
        } else if (packet.length > 48) {
            packet[40] = (byte) PROTOCOLS[random.nextInt(PROTOCOLS.length)];
            packet[41] = (byte) random.nextInt(4);
        }
        return packet;
    }
}
