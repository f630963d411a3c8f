package org.xfrmbridge.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.demo.FrameLine.Kind;

/** Frames written down by hand; tcpdump agrees on what they are. */
class FrameLineTest {
    private static final String MACS = "02000000000202000000" + "0001";
    /** ESP from 192.0.2.1 to 192.0.2.2, SPI 0xc0ffee01, sequence number 7, 24 bytes in all. */
    private static final String ESP = "c0ffee01" + "00000007" + "00112233445566778899aabbccddeeff";

    private static FrameLine ipv4(int protocol, String payload) {
        int totalBytes = 20 + payload.length() / 2;
        return frame(
                "0800", "4500%04x000040004%d%02x0000c0000201c0000202".formatted(totalBytes, 0, protocol) + payload);
    }

    private static FrameLine ipv6(int protocol, String payload) {
        String addresses = "20010db8000000000000000000000001" + "20010db8000000000000000000000002";
        return frame("86dd", "60000000%04x%02x40".formatted(payload.length() / 2, protocol) + addresses + payload);
    }

    private static FrameLine frame(String etherType, String rest) {
        return FrameLine.of(HexFormat.of().parseHex(MACS + etherType + rest));
    }

    private static String udp(int from, int to, String body) {
        return "%04x%04x%04x0000".formatted(from, to, 8 + body.length() / 2) + body;
    }

    @Test
    void shouldShowSpiAndSequenceWhenFrameHoldsEsp() {
        assertEquals(
                new FrameLine(Kind.ESP, "192.0.2.1 > 192.0.2.2: ESP(spi=0xc0ffee01,seq=0x7), length 24"),
                ipv4(50, ESP));
        assertEquals(
                new FrameLine(Kind.ESP, "2001:db8::1 > 2001:db8::2: ESP(spi=0xc0ffee01,seq=0x7), length 24"),
                ipv6(50, ESP));
    }

    @Test
    void shouldTellIkeFromEspWhenPortIs4500() {
        assertEquals(
                new FrameLine(
                        Kind.ESP, "192.0.2.1 > 192.0.2.2: UDP-encapsulated ESP(spi=0xc0ffee01,seq=0x7), length 32"),
                ipv4(17, udp(4500, 4500, ESP)));
        assertEquals(
                new FrameLine(Kind.IKE, "192.0.2.1 > 192.0.2.2: IKE, UDP port 4500, length 24"),
                ipv4(17, udp(4500, 31337, "00000000" + "0102030405060708090a0b0c")));
        assertEquals(Kind.IKE, ipv4(17, udp(4500, 4500, "ff")).kind());
        assertEquals(
                new FrameLine(Kind.IKE, "192.0.2.1 > 192.0.2.2: IKE, UDP port 500, length 12"),
                ipv4(17, udp(500, 500, "01020304")));
    }

    /** A Linux bridge without an address joins the group of snoopers (RFC 4286) some time after it is up. */
    @Test
    void shouldTakeReportsOfListenersForNoSecret() {
        String report = "46c000280000400001024403" + "00000000" + "e0000016" + "94040000" + "2200f99400000001040000"
                + "00e000006a";
        assertEquals(
                new FrameLine(Kind.NEIGHBOUR, "0.0.0.0 > 224.0.0.22: multicast listener report"),
                frame("0800", report));
    }

    @Test
    void shouldNameWhoAsksWhenFrameIsArp() {
        String addresses = "020000000001" + "c0000201" + "000000000000" + "c0000202";
        assertEquals(
                new FrameLine(Kind.NEIGHBOUR, "ARP: who has 192.0.2.2, tell 192.0.2.1"),
                frame("0806", "0001080006040001" + addresses));
        assertEquals(
                new FrameLine(Kind.NEIGHBOUR, "ARP: 192.0.2.1 is here"), frame("0806", "0001080006040002" + addresses));
    }

    @ParameterizedTest
    @CsvSource({"135, NEIGHBOUR", "136, NEIGHBOUR", "143, NEIGHBOUR", "128, CLEAR", "129, CLEAR", "1, CLEAR"})
    void shouldTakeOnlyNeighbourTrafficForHarmlessWhenItIsIcmp6(int type, Kind kind) {
        assertEquals(kind, ipv6(58, "%02x00000000000000".formatted(type)).kind());
    }

    @Test
    void shouldCallItClearWhenOthersCouldReadIt() {
        assertEquals(
                new FrameLine(Kind.CLEAR, "192.0.2.1 > 192.0.2.2: protocol 1, length 8"), ipv4(1, "0800f7ff00000000"));
        assertEquals(Kind.CLEAR, ipv4(17, udp(53, 53, "01020304")).kind());
        assertEquals(
                Kind.CLEAR, ipv4(6, "0016001600000000000000005000000000000000").kind());
    }

    @Test
    void shouldCallItClearWhenItCannotBeUnderstood() {
        assertEquals(Kind.CLEAR, frame("0800", "4500").kind());
        assertEquals(Kind.CLEAR, FrameLine.of(new byte[5]).kind());
        assertEquals(Kind.CLEAR, ipv4(17, "01").kind());
        assertEquals(new FrameLine(Kind.OTHER, "EtherType 0x88cc"), frame("88cc", "0000"));
        assertEquals(Kind.OTHER, frame("0806", "0001").kind());
    }

    @Test
    void shouldSayFragmentWhenEspHeaderIsNotThere() {
        String later = "4500001c0000000340320000c0000201c0000202" + "0102030405060708";
        assertEquals(new FrameLine(Kind.ESP, "192.0.2.1 > 192.0.2.2: ESP, a fragment, length 8"), frame("0800", later));
    }
}
