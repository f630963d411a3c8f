package org.xfrmbridge.net;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.net.IpPacket.Kind;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Flow;

class FlowDecoderTest {
    private static final String V6_ENDS = "20010db8000000000000000000000001" + "20010db8000000000000000000000002";

    private final IpPacket packet = new IpPacket();
    private final Flow flow = new Flow();

    /** @param packetHex an IP packet; "LEN" stands for its length field */
    private Kind decode(String packetHex) {
        byte[] bytes = HexFormat.of().parseHex(packetHex.replace(" ", "").replace("LEN", "0000"));
        boolean v4 = bytes[0] >>> 4 == 4;
        Bytes.putU16(
                bytes,
                v4 ? Ipv4.TOTAL_LENGTH : Ipv6.PAYLOAD_LENGTH,
                v4 ? bytes.length : bytes.length - Ipv6.HEADER_BYTES);
        PacketBuffer frame = new PacketBuffer();
        Bytes.putU16(frame.data, frame.offset + Ethernet.TYPE, v4 ? Ethernet.TYPE_IPV4 : Ethernet.TYPE_IPV6);
        System.arraycopy(bytes, 0, frame.data, frame.offset + Ethernet.HEADER_BYTES, bytes.length);
        frame.length = Ethernet.HEADER_BYTES + bytes.length;
        Kind kind = packet.parse(frame);
        if (kind == Kind.IP) {
            FlowDecoder.decode(packet, flow);
        }
        return kind;
    }

    @ParameterizedTest(name = "protocol {0} with {1}: {2}, {3}")
    @CsvSource({
        "06, 1234 5678 00000000, 4660, 22136",
        "11, 1234 5678 00000000, 4660, 22136",
        "21, 1234 5678, 4660, 22136",
        "84, 1234 5678, 4660, 22136",
        "88, 1234 5678, 4660, 22136",
        "11, 123456, 0, 0",
        "01, 0800 0000, 8, 0",
        "01, 0304, 3, 4",
        "01, 03, 0, 0",
        "2f, 2000 0800 11112222 00000000, 4369, 8738",
        "2f, a000 0800 00000000 33334444, 13107, 17476",
        "2f, 0000 0800 11112222 00000000, 0, 0",
        "2f, 2000 0800 11112222, 0, 0",
        "32, 1234 5678 9abc, 0, 0"
    })
    void shouldDecodeWhatStandsInThePlaceOfPorts(String protocol, String upper, int sport, int dport) {
        assertEquals(Kind.IP, decode("4500 LEN 0000 0000 40" + protocol + " 0000 c0000201 c0000202" + upper));
        assertEquals(AddressFamily.INET, flow.family);
        assertEquals(Address.parse("192.0.2.1"), flow.saddr());
        assertEquals(Address.parse("192.0.2.2"), flow.daddr());
        assertEquals(Integer.parseInt(protocol, 16), flow.protocol);
        assertEquals(sport, flow.sport);
        assertEquals(dport, flow.dport);
    }

    @ParameterizedTest(name = "first header {0}, then {1}: protocol {2}, {3}, {4}")
    @CsvSource({
        "11, 1234 5678, 17, 4660, 22136",
        "3a, 8700, 58, 135, 0",
        "87, 3b 00 05 00 0000 0000, 135, 5, 0",
        // hop by hop, destination options, routing of 24 bytes, UDP
        "00, 3c00 0104 0000 0000  2b00 0104 0000 0000  1102 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 "
                + " 1234 5678, 17, 4660, 22136",
        // a fragment header hides ports, in the first fragment too
        "2c, 1100 0001 0000 0001  1234 5678, 17, 0, 0",
        "2c, 1100 0009 0000 0001  1234 5678, 17, 0, 0",
        // behind a non-first fragment's header there is data, whatever it looks like
        "2c, 3c00 0009 0000 0001  ffff ffff, 60, 0, 0",
        "33, 1100 0000 0000 0000, 51, 0, 0",
        "3b, '', 59, 0, 0"
    })
    void shouldWalkExtensionHeaders(String next, String rest, int protocol, int sport, int dport) {
        assertEquals(Kind.IP, decode("6000 0000 LEN" + next + "40" + V6_ENDS + rest));
        assertEquals(protocol, flow.protocol);
        assertEquals(sport, flow.sport);
        assertEquals(dport, flow.dport);
        assertEquals(Address.parse("2001:db8::1"), flow.saddr());
        assertEquals(Address.parse("2001:db8::2"), flow.daddr());
    }

    @ParameterizedTest
    @CsvSource({"00, 3c00", "00, 1101 0000 0000 0000", "2c, 1100 0000", "3c, 11ff 0000 0000 0000 0000 0000"})
    void shouldRefuseExtensionHeadersThatLeaveThePacket(String next, String rest) {
        assertEquals(Kind.MALFORMED, decode("6000 0000 LEN" + next + "40" + V6_ENDS + rest));
    }

    @Test
    void shouldNotTakePortsFromIpv4Fragments() {
        assertEquals(Kind.IP, decode("4500 LEN 0000 2000 4011 0000 c0000201 c0000202 1234 5678"));
        assertEquals(0, flow.sport);
        assertEquals(Kind.IP, decode("4500 LEN 0000 0001 4011 0000 c0000201 c0000202 1234 5678"));
        assertEquals(0, flow.dport);
    }

    @Test
    void shouldRefuseHeadersThatContradictThemselves() {
        assertEquals(Kind.MALFORMED, decode("4400 LEN 0000 0000 4011 0000 c0000201 c0000202"));
        assertEquals(Kind.MALFORMED, decode("4600 LEN 0000 0000 4011 0000 c0000201 c0000202"));
        assertEquals(Kind.MALFORMED, decode("4500 LEN 0000 0000 4011 0000 c0000201"));
        assertEquals(Kind.MALFORMED, decode("6000 0000 LEN 1140" + V6_ENDS.substring(2)));
    }

    @Test
    void shouldReverseAFlow() {
        decode("4500 LEN 0000 0000 4011 0000 c0000201 c0000202 1234 5678");
        FlowDecoder.reverse(flow);
        assertEquals("192.0.2.2:22136 -> 192.0.2.1:4660 protocol 17", flow.toString());
    }

    @Test
    void shouldPutEspBehindTheHeadersThatEveryHopReads() {
        // hop by hop, destination options, routing, destination options, UDP: the last options are for the destination
        // alone
        decode("6000 0000 LEN 0040" + V6_ENDS
                + "3c00 0104 0000 0000 2b00 0104 0000 0000 3c00 0000 0000 0000 1100 0104 0000 0000 12345678");
        assertEquals(packet.offset + 40 + 24, packet.transportPoint());
        assertEquals(60, packet.protocol);
        assertEquals(packet.offset + 40 + 16, packet.protocolAt);
        decode("6000 0000 LEN 3c40" + V6_ENDS + "1100 0104 0000 0000 12345678");
        assertEquals(packet.offset + 48, packet.transportPoint());
        assertEquals(17, packet.protocol);
        decode("4600 LEN 0000 0000 4006 0000 c0000201 c0000202 01010101 1234");
        assertEquals(packet.offset + 24, packet.transportPoint());
        assertEquals(6, packet.protocol);
    }
}
