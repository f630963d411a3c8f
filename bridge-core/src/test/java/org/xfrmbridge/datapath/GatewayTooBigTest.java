package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Checksum;
import org.xfrmbridge.net.Icmp;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Selector;

/**
 * What a gateway says to hosts behind it whose packets are too long for a tunnel: from its own address, with the MTU of
 * the tunnel, as Linux 6.1 does on a link of 1300 bytes.
 */
class GatewayTooBigTest {
    private static final String[] NEAR = {"192.0.2.1", "2001:db8::1"};
    private static final String[] FAR = {"192.0.2.2", "2001:db8::2"};
    private static final String[] HOSTS = {"10.1.0.5", "fd01::5"};
    private static final String[] GATEWAYS = {"10.1.0.1", "fd01::1"};

    private final TestHost gateway = new TestHost(NEAR[0], NEAR[1], GATEWAYS[0], GATEWAYS[1]);

    /** Families as 4 and 6. */
    private void protect(int inner, int outer) {
        String near = NEAR[outer / 2 - 2];
        String far = FAR[outer / 2 - 2];
        int family = inner == 4 ? AddressFamily.INET : AddressFamily.INET6;
        gateway.network.setMtu(1300);
        gateway.network.setSource(family, GATEWAYS[inner / 2 - 2]);
        gateway.policy(Direction.OUT, Selector.any(family), Sas.template(Mode.TUNNEL, near, far));
        gateway.sad.insert(Sas.state(Sas.spec(Mode.TUNNEL, near, far, 7)));
    }

    private static Frames udp(String source, int packetBytes) {
        boolean v4 = source.indexOf(':') < 0;
        return Frames.udp(source, v4 ? "10.2.0.1" : "fd02::1")
                .bytes(packetBytes - (v4 ? 28 : 48))
                .dontFragment();
    }

    private static IpPacket view(byte[] packet) {
        return Frames.view(Frames.framed(packet));
    }

    @ParameterizedTest(name = "IPv{0} in IPv{1}: {2}")
    @CsvSource({"4, 4, 1246", "4, 6, 1226", "6, 4, 1246", "6, 6, 1226"})
    void shouldSpeakFromItsOwnAddressOfTheTunnelsMtu(int inner, int outer, int mtu) {
        protect(inner, outer);
        Frames tooLong = udp(HOSTS[inner / 2 - 2], 1300);
        assertEquals(0, gateway.send(tooLong.frame()).size());
        assertEquals(0, gateway.stack.drain().size());
        IpPacket answer = view(gateway.network.drainSentAsHost().getFirst());
        byte[] data = answer.data();
        boolean v4 = inner == 4;
        int addressBytes = v4 ? 4 : 16;
        int addressAt = answer.offset + (v4 ? Ipv4.SOURCE : 8);
        assertEquals(GATEWAYS[v4 ? 0 : 1], text(data, addressAt, v4));
        assertEquals(HOSTS[v4 ? 0 : 1], text(data, addressAt + addressBytes, v4));
        assertEquals(v4 ? 0x0304 : 0x0200, Bytes.u16(data, answer.payload));
        assertEquals(mtu, Bytes.i32(data, answer.payload + Icmp.MTU_V6));
        long pseudo = v4 ? 0 : Checksum.pseudoHeader(answer, IpProtocol.ICMPV6, answer.payloadBytes());
        assertTrue(Checksum.isIntact(Checksum.add(pseudo, data, answer.payload, answer.payloadBytes())));
        assertTrue(!v4 || Checksum.isIntact(Checksum.add(0, data, answer.offset, 20)));
        int quotedBytes = answer.payloadBytes() - Icmp.HEADER_BYTES;
        byte[] quoted = Arrays.copyOfRange(data, answer.payload + Icmp.HEADER_BYTES, answer.end());
        assertArrayEquals(Arrays.copyOf(tooLong.packet(), quotedBytes), quoted);
    }

    private static String text(byte[] data, int at, boolean v4) {
        Address address =
                v4 ? Address.ofIpv4(Bytes.i32(data, at)) : new Address(Bytes.i64(data, at), Bytes.i64(data, at + 8));
        return address.toText(v4 ? AddressFamily.INET : AddressFamily.INET6);
    }

    /** A host takes nothing from the network that comes from itself, nor an MTU below 1280 (RFC 8201 4). */
    @Test
    void shouldTellTheHostItselfThroughItsDevice() {
        protect(6, 6);
        Frames tooLong = udp(GATEWAYS[1], 1300);
        gateway.send(tooLong.frame());
        assertEquals(0, gateway.network.drainSentAsHost().size());
        IpPacket answer = Frames.view(gateway.stack.drain().getFirst());
        assertEquals(1280, Bytes.i32(answer.data(), answer.payload + Icmp.MTU_V6));
    }

    /** Every link must take 1280 bytes: who hears of less need not believe it. */
    @Test
    void shouldCarryPacketsOfTheLeastMtuInFragments() {
        protect(6, 6);
        assertEquals(2, gateway.send(udp(HOSTS[1], 1280).frame()).size());
        assertEquals(0, gateway.network.drainSentAsHost().size());
    }

    @ParameterizedTest(name = "sends {0}, source {1}")
    @CsvSource({"false, 10.1.0.1", "true, "})
    void shouldLetTheHostForwardTheAnswerIfItCannotBeSent(boolean sends, String source) {
        protect(4, 4);
        gateway.network.setSends(sends);
        if (source == null) {
            gateway.network.setSource(AddressFamily.INET, null);
        }
        gateway.send(udp(HOSTS[0], 1300).frame());
        List<byte[]> answers = gateway.stack.drain();
        assertEquals(1, answers.size());
        IpPacket answer = Frames.view(answers.getFirst());
        assertEquals("10.2.0.1", text(answer.data(), answer.offset + Ipv4.SOURCE, true));
    }
}
