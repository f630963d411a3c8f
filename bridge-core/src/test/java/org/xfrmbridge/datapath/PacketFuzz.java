package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.Deflater;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.xfrmbridge.fuzz.Corpus;
import org.xfrmbridge.fuzz.FuzzInput;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.StaticNetwork;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Checksum;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * Fuzz target: what either side of a datapath is handed, and what a peer has sealed, which is authentic and still
 * anything. No exception leaves a path, each packet is sent on or counted under one reason, what is sent on is
 * well-formed, nothing between the protected networks leaves in the clear, and nothing that came in the clear passes
 * for protected, whatever a frame looks like around the packet ({@link LinkShape}).
 */
public final class PacketFuzz {
    private static final int SEND = 0;
    private static final int RECEIVE = 1;
    private static final int RECEIVE_ESP = 2;
    private static final int RECEIVE_AH = 3;
    private static final int RECEIVE_COMPRESSED = 4;
    private static final int RECEIVE_TOO_BIG = 5;
    private static final int WAIT = 6;
    private static final int SEND_SHAPED = 7;
    private static final int RECEIVE_SHAPED = 8;
    private static final int OPERATIONS = 9;

    private static final int ICV_BYTES = 12;
    private static final int AH_BYTES = 12;

    /**
     * Shared: making it takes longer than many inputs. Time passes after each, so that what it remembers of one does
     * not reach the next.
     */
    static final FuzzHosts HOSTS = new FuzzHosts();

    private static final Mac MAC = mac();

    private PacketFuzz() {}

    private static Mac mac() {
        try {
            Mac mac = Mac.getInstance("HmacSHA1");
            mac.init(new SecretKeySpec(Sas.key(20), "HmacSHA1"));
            return mac;
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    /** What the fuzzer calls. */
    public static void fuzzerTestOneInput(byte[] bytes) {
        FuzzInput input = new FuzzInput(bytes);
        while (input.next()) {
            step(input);
        }
        HOSTS.forget();
    }

    /** {@code DIRECTORY}: writes what the fuzzer begins with there. */
    public static void main(String[] args) throws IOException {
        List<byte[]> inputs = seeds();
        inputs.addAll(Corpus.load("packets"));
        Corpus.unpack(inputs, Path.of(args[0]));
    }

    /** Packets of every kind, each way in. */
    static List<byte[]> seeds() {
        List<byte[]> seeds = new ArrayList<>();
        for (boolean v4 : new boolean[] {true, false}) {
            Frames inner = from(v4, 1);
            Frames outer = v4 ? Frames.udp("192.0.2.1", "192.0.2.2") : Frames.udp("2001:db8::1", "2001:db8::2");
            seeds.add(new FuzzInput.Writer()
                    .block(SEND, inner.frame())
                    .block(RECEIVE, inner.frame())
                    .toBytes());
            seeds.add(new FuzzInput.Writer()
                    .block(SEND, inner.bytes(2000).frame())
                    .block(RECEIVE, outer.bytes(60).frame())
                    .toBytes());
            addSealed(seeds, v4);
            byte[] quoted =
                    Frames.packet(HOSTS.host.send(inner.bytes(40).frame()).getFirst());
            seeds.add(new FuzzInput.Writer()
                    .block(RECEIVE_TOO_BIG, prefixed(quoted, v4 ? 0 : 1, 5))
                    .block(SEND, inner.frame())
                    .toBytes());
            byte[] fragment = v4 ? fragmentV4() : fragmentV6();
            seeds.add(new FuzzInput.Writer()
                    .block(SEND, fragment)
                    .block(RECEIVE, fragment)
                    .number(WAIT, 40)
                    .toBytes());
            addShaped(seeds, from(v4, 1).packet());
        }
        HOSTS.forget();
        return seeds;
    }

    /** From a host of the one protected network to the other. */
    private static Frames from(boolean v4, int host) {
        return v4
                ? Frames.udp("10.1.0." + host, "10.2.0.1").bytes(40)
                : Frames.udp("fd01::" + host, "fd02::1").bytes(40);
    }

    /** Each State once, with what its mode wants to find. */
    private static void addSealed(List<byte[]> seeds, boolean v4) {
        int outerBytes = v4 ? 20 : 40;
        int firstWay = v4 ? 0 : FuzzHosts.WAYS;
        for (int mode = 0; mode < FuzzHosts.WAYS; mode++) {
            boolean tunnel = mode == 0;
            int way = firstWay + mode;
            int next = tunnel ? v4 ? IpProtocol.IPIP : IpProtocol.IPV6 : IpProtocol.UDP;
            byte[] esp = contents(from(v4, 1), tunnel ? 3333 : 2222, tunnel ? 0 : outerBytes);
            seeds.add(new FuzzInput.Writer()
                    .block(RECEIVE_ESP, prefixed(trailed(esp, next), way))
                    .toBytes());
            byte[] ah = contents(from(v4, FuzzHosts.AH_HOST), 2222, tunnel ? 0 : outerBytes);
            seeds.add(new FuzzInput.Writer()
                    .block(RECEIVE_AH, prefixed(ah, way, next))
                    .toBytes());
            byte[] comp = contents(from(v4, FuzzHosts.COMP_HOST).bytes(400), 2222, tunnel ? 0 : outerBytes);
            seeds.add(new FuzzInput.Writer()
                    .block(RECEIVE_COMPRESSED, prefixed(comp, way << 1, next))
                    .toBytes());
        }
    }

    private static void addShaped(List<byte[]> seeds, byte[] packet) {
        for (int wrapping = 0; wrapping < LinkShape.Wrapping.values().length; wrapping++) {
            byte[] shaped = prefixed(packet, wrapping, wrapping % 5, 0x35, wrapping);
            seeds.add(new FuzzInput.Writer()
                    .block(SEND_SHAPED, shaped)
                    .block(RECEIVE_SHAPED, shaped)
                    .toBytes());
        }
    }

    private static byte[] contents(Frames frames, int dport, int from) {
        frames.dport = dport;
        byte[] packet = frames.packet();
        Arrays.fill(packet, packet.length - frames.payloadBytes, packet.length, (byte) 0);
        return Arrays.copyOfRange(packet, from, packet.length);
    }

    private static byte[] trailed(byte[] contents, int nextHeader) {
        byte[] plain = Arrays.copyOf(contents, contents.length + 4);
        Bytes.putI32(plain, contents.length, 0x0102_0200 | nextHeader);
        return plain;
    }

    private static byte[] prefixed(byte[] bytes, int... prefix) {
        byte[] all = new byte[prefix.length + bytes.length];
        for (int i = 0; i < prefix.length; i++) {
            all[i] = (byte) prefix[i];
        }
        System.arraycopy(bytes, 0, all, prefix.length, bytes.length);
        return all;
    }

    private static byte[] fragmentV4() {
        Frames frames = Frames.udp("10.1.0.1", "10.2.0.1").bytes(64);
        frames.fragmentWord = 0x2000;
        return frames.frame();
    }

    private static byte[] fragmentV6() {
        byte[] upper = new byte[72];
        Bytes.putI64(upper, 0, 0x1100_0001_0000_0007L);
        return Frames.udp("fd01::1", "fd02::1")
                .payload(IpProtocol.FRAGMENT, upper)
                .frame();
    }

    private static void step(FuzzInput input) {
        switch (input.operation() % OPERATIONS) {
            case SEND -> send(input.block());
            case RECEIVE -> receive(input.block(), false);
            case RECEIVE_ESP -> receive(esp(new FuzzInput(input.block())), true);
            case RECEIVE_AH -> receive(ah(new FuzzInput(input.block())), true);
            case RECEIVE_COMPRESSED -> receive(compressed(new FuzzInput(input.block())), true);
            case RECEIVE_TOO_BIG -> tooBig(new FuzzInput(input.block()));
            case SEND_SHAPED -> send(shaped(new FuzzInput(input.block())));
            case RECEIVE_SHAPED -> receive(shaped(new FuzzInput(input.block())), false);
            case WAIT -> HOSTS.wait(input.number());
            default -> throw new AssertionError();
        }
    }

    private static void send(byte[] frame) {
        TestHost host = HOSTS.host;
        for (byte[] sent : host.send(frame)) {
            assertFalse(FuzzHosts.isInner(assertWellFormed(sent)), "it leaves in the clear");
        }
        host.stack.drain().forEach(PacketFuzz::assertWellFormed);
        assertCounted(host);
    }

    private static void receive(byte[] frame, boolean sealed) {
        TestHost peer = HOSTS.peer;
        for (byte[] received : peer.receive(List.of(frame.length < 12 ? Arrays.copyOf(frame, 12) : frame))) {
            IpPacket packet = assertWellFormed(received);
            if (!sealed) {
                assertFalse(FuzzHosts.isInner(packet), "it came in the clear");
            }
        }
        assertCounted(peer);
    }

    /** To whom, how many tags, which ones, the wrapping, then the packet. */
    private static byte[] shaped(FuzzInput input) {
        LinkShape shape = LinkShape.of(input.number(), input.number() & 15, input.number(), input.number());
        byte[] packet = input.rest();
        return shape.frame(StaticNetwork.GATEWAY_MAC, packet.length == 0 ? new byte[1] : packet);
    }

    /** The way, then what is sealed, with padding and trailer as the fuzzer likes them. */
    private static byte[] esp(FuzzInput input) {
        int way = input.number() % (2 * FuzzHosts.WAYS);
        byte[] plain = input.rest();
        byte[] esp = new byte[8 + plain.length + ICV_BYTES];
        Bytes.putI32(esp, 0, FuzzHosts.ESP_SPI + way);
        Bytes.putI32(esp, 4, 1);
        System.arraycopy(plain, 0, esp, 8, plain.length);
        MAC.update(esp, 0, 8 + plain.length);
        System.arraycopy(MAC.doFinal(), 0, esp, 8 + plain.length, ICV_BYTES);
        return carried(way, IpProtocol.ESP, esp);
    }

    /** The way, the next header, then what follows AH, which has no MAC here. */
    private static byte[] ah(FuzzInput input) {
        int way = input.number() % (2 * FuzzHosts.WAYS);
        int nextHeader = input.number();
        byte[] rest = input.rest();
        byte[] ah = new byte[AH_BYTES + 4 + rest.length];
        Bytes.putI32(ah, 0, nextHeader << 24 | 2 << 16);
        Bytes.putI32(ah, 4, FuzzHosts.AH_SPI + way);
        System.arraycopy(rest, 0, ah, AH_BYTES + 4, rest.length);
        return carried(way, IpProtocol.AH, ah);
    }

    /** The way, the next header, then what is compressed; an odd way has the rest as it is, for the codec to read. */
    private static byte[] compressed(FuzzInput input) {
        int choice = input.number();
        int way = (choice >> 1) % (2 * FuzzHosts.WAYS);
        int nextHeader = input.number();
        byte[] rest = input.rest();
        byte[] contents = (choice & 1) == 0 ? deflated(rest) : rest;
        byte[] comp = new byte[4 + contents.length];
        Bytes.putI32(comp, 0, nextHeader << 24 | FuzzHosts.COMP_SPI + way);
        System.arraycopy(contents, 0, comp, 4, contents.length);
        return carried(way, IpProtocol.COMP, comp);
    }

    private static byte[] deflated(byte[] bytes) {
        try (Deflater deflater = new Deflater(1, true)) {
            deflater.setInput(bytes);
            deflater.finish();
            byte[] out = new byte[bytes.length + 64];
            return Arrays.copyOf(out, deflater.deflate(out));
        }
    }

    private static byte[] carried(int way, int protocol, byte[] upper) {
        Frames frames =
                way < FuzzHosts.WAYS ? Frames.udp("192.0.2.1", "192.0.2.2") : Frames.udp("2001:db8::1", "2001:db8::2");
        return frames.inbound().payload(protocol, upper).frame();
    }

    /** Family and MTU in units of 256, then what is quoted, to the host that is to believe it. */
    private static void tooBig(FuzzInput input) {
        boolean v4 = (input.number() & 1) == 0;
        int mtuBytes = input.number() << 8 | 0xdc;
        byte[] quoted = input.rest();
        byte[] icmp = new byte[8 + quoted.length];
        Bytes.putI32(icmp, 0, v4 ? 0x0304_0000 : 0x0200_0000);
        Bytes.putI32(icmp, 4, mtuBytes);
        System.arraycopy(quoted, 0, icmp, 8, quoted.length);
        if (v4) {
            Bytes.putU16(icmp, 2, Checksum.finish(Checksum.add(0, icmp, 0, icmp.length)));
        }
        Frames frames = v4 ? Frames.udp("192.0.2.9", "192.0.2.1") : Frames.udp("2001:db8::9", "2001:db8::1");
        HOSTS.host.receive(frames.inbound()
                .payload(v4 ? IpProtocol.ICMP : IpProtocol.ICMPV6, icmp)
                .frame());
        assertCounted(HOSTS.host);
    }

    /** The packet in a frame, null if it has none. */
    private static IpPacket assertWellFormed(byte[] frame) {
        PacketBuffer buffer = new PacketBuffer();
        buffer.ensureCapacity(frame.length);
        System.arraycopy(frame, 0, buffer.data, buffer.offset, frame.length);
        buffer.length = frame.length;
        IpPacket packet = new IpPacket();
        IpPacket.Kind kind = packet.parse(buffer);
        assertNotEquals(IpPacket.Kind.MALFORMED, kind);
        assertNotEquals(IpPacket.Kind.ENCAPSULATED, kind, "there are policies on either side");
        boolean missed = kind != IpPacket.Kind.IP && isIpBehindTags(frame);
        assertFalse(missed, "it is IP to a kernel, which takes away any number of tags");
        return kind == IpPacket.Kind.IP ? packet : null;
    }

    private static boolean isIpBehindTags(byte[] frame) {
        int at = Ethernet.TYPE;
        int type = frame.length < Ethernet.HEADER_BYTES ? 0 : Bytes.u16(frame, at);
        while (at + Ethernet.TAG_BYTES + 2 <= frame.length
                && (type == Ethernet.TYPE_VLAN || type == Ethernet.TYPE_PROVIDER_VLAN)) {
            at += Ethernet.TAG_BYTES;
            type = Bytes.u16(frame, at);
        }
        return type == Ethernet.TYPE_IPV4 || type == Ethernet.TYPE_IPV6;
    }

    private static void assertCounted(TestHost host) {
        long dropped = host.stats.outbound(Metric.DROPPED) + host.stats.inbound(Metric.DROPPED);
        assertEquals(
                dropped, Arrays.stream(DropReason.ALL).mapToLong(host::drops).sum());
    }
}
