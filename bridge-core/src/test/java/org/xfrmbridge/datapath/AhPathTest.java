package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.esp.ScapyJudge;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.ReplayState;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateFlags;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;

/**
 * AH between two hosts, and against Scapy: every MAC, both modes, both families, options and extension headers,
 * extended numbers.
 */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class AhPathTest {
    private static final HexFormat HEX = HexFormat.of();
    private static final int SPI = 4711;
    private static final int HIGH = 7;
    private static final int[] PAYLOADS = {0, 1, 15, 16, 17, 600, 1300};

    @RegisterExtension
    static final ScapyJudge judge = new ScapyJudge("/scapy/path_judge.py");

    record Case(Mode mode, String inner, String outer, String auth, int flags) {
        String[] innerEnds() {
            if (mode == Mode.TRANSPORT) {
                return outerEnds();
            }
            return inner.equals("IPv4") ? new String[] {"10.1.0.1", "10.2.0.1"} : new String[] {"fd01::1", "fd02::1"};
        }

        String[] outerEnds() {
            return outer.equals("IPv4")
                    ? new String[] {"192.0.2.1", "192.0.2.2"}
                    : new String[] {"2001:db8::1", "2001:db8::2"};
        }

        boolean isKnownToScapy() {
            return judged() != null && mode != Mode.BEET;
        }

        private String judged() {
            return switch (auth) {
                case "hmac(md5)", "hmac(sha1)", "hmac(sha256)", "hmac(sha512)" ->
                    "AH_" + auth.substring(5, auth.length() - 1);
                case "cmac(aes)" -> "AH_cmac";
                default -> null;
            };
        }

        String request() {
            boolean tunnel = mode == Mode.TUNNEL;
            return "suite=" + judged() + " spi=" + SPI + " nat=0 src=" + (tunnel ? outerEnds()[0] : "-") + " dst="
                    + (tunnel ? outerEnds()[1] : "-") + ((flags & StateFlags.ESN) != 0 ? " esn=" + HIGH : "");
        }
    }

    static List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        String[] families = {"IPv4", "IPv6"};
        String[] macs = {
            "hmac(md5)",
            "hmac(sha1)",
            "hmac(sha256)",
            "hmac(sha384)",
            "hmac(sha512)",
            "hmac(rmd160)",
            "hmac(sm3)",
            "xcbc(aes)",
            "cmac(aes)",
            "digest_null"
        };
        for (Mode mode : new Mode[] {Mode.TRANSPORT, Mode.TUNNEL, Mode.BEET}) {
            for (String inner : families) {
                for (String outer : families) {
                    for (String mac : macs) {
                        for (int flags : new int[] {0, StateFlags.ALIGN4, StateFlags.ESN}) {
                            if (mode != Mode.TRANSPORT || inner.equals(outer)) {
                                cases.add(new Case(mode, inner, outer, mac, flags));
                            }
                        }
                    }
                }
            }
        }
        return cases;
    }

    /** Scapy pads to four bytes over IPv4, which a kernel wants to be told. */
    static List<Case> casesForScapy() {
        return cases().stream()
                .filter(Case::isKnownToScapy)
                .filter(test -> test.outer().equals("IPv6") || test.flags() != StateFlags.ESN)
                .toList();
    }

    private static State install(TestHost host, Direction direction, Case test) {
        String[] ends = test.outerEnds();
        StateSpecBuilder spec = Sas.spec(test.mode(), ends[0], ends[1], SPI);
        spec.flags(spec.flags() | test.flags());
        if (test.mode() == Mode.BEET) {
            spec.selector(Sas.between(host(test.innerEnds()[0]), host(test.innerEnds()[1])));
        }
        if (test.flags() == StateFlags.ESN) {
            spec.replay(new ReplayState(0, 0, HIGH, HIGH, 64, new int[2]));
        }
        // The kernel's default for SHA-256 is 96 bits, IKE wants 128 (RFC 4868).
        State state = test.auth().equals("hmac(sha256)") ? Sas.ah(spec, test.auth(), 128) : Sas.ah(spec, test.auth());
        host.sad.insert(state);
        Template template = Sas.of(IpProtocol.AH, Sas.template(test.mode(), ends[0], ends[1]));
        host.policy(direction, Selector.any(Sas.family(test.innerEnds()[0])), template);
        return state;
    }

    private static String host(String address) {
        return address + (Sas.family(address) == 2 ? "/32" : "/128");
    }

    @ParameterizedTest
    @MethodSource("cases")
    void shouldDeliverUnchangedWhatTheOtherEndSent(Case test) {
        TestHost a = new TestHost(test.outerEnds()[0], test.innerEnds()[0]);
        TestHost b = new TestHost(test.outerEnds()[1], test.innerEnds()[1]);
        State sending = install(a, Direction.OUT, test);
        State receiving = install(b, Direction.IN, test);
        long bytes = 0;
        for (int payload : PAYLOADS) {
            Frames frames = Frames.udp(test.innerEnds()[0], test.innerEnds()[1])
                    .bytes(payload)
                    .dontFragment()
                    .tos(4);
            frames.ttl = 37;
            List<byte[]> wire = a.send(frames.frame());
            assertEquals(1, wire.size(), a.stats::toProcText);
            assertEquals(IpProtocol.AH, Frames.view(wire.getFirst()).protocol);
            List<byte[]> arrived = b.receive(List.of(onItsWay(wire.getFirst())));
            assertEquals(1, arrived.size(), b.stats::toProcText);
            if (test.mode() != Mode.TUNNEL) {
                frames.ttl = 36;
            }
            assertArrayEquals(frames.packet(), Frames.packet(arrived.getFirst()));
            int header = frames.isIpv4() ? Ipv4.HEADER_BYTES : Ipv6.HEADER_BYTES;
            bytes += test.mode() == Mode.TUNNEL ? frames.packet().length : frames.packet().length - header;
            assertEquals(bytes, sending.usage().bytes());
            assertEquals(bytes, receiving.usage().bytes());
        }
        assertEquals(PAYLOADS.length, receiving.replaySnapshot().seq());
    }

    /** A router between: the time to live is one less. */
    private static byte[] onItsWay(byte[] frame) {
        int at = 14;
        if (frame[at] >>> 4 == 4) {
            frame[at + Ipv4.TTL]--;
            Ipv4.finish(frame, at, Ipv4.totalLength(frame, at));
        } else {
            frame[at + Ipv6.HOP_LIMIT]--;
        }
        return frame;
    }

    @ParameterizedTest
    @MethodSource("casesForScapy")
    void shouldSignWhatScapyVerifies(Case test) throws IOException {
        TestHost host = new TestHost(test.outerEnds()[0]);
        install(host, Direction.OUT, test);
        for (int payload : PAYLOADS) {
            Frames frames = Frames.udp(test.innerEnds()[0], test.innerEnds()[1])
                    .bytes(payload)
                    .tos(8);
            byte[] sealed = Frames.packet(host.send(frames.frame()).getFirst());
            assertEquals(
                    HEX.formatHex(frames.packet()),
                    judge.ask("open " + test.request() + " packet=" + HEX.formatHex(sealed)));
        }
    }

    @ParameterizedTest
    @MethodSource("casesForScapy")
    void shouldVerifyWhatScapySigned(Case test) throws IOException {
        assumeTrue(
                test.outer().equals("IPv6")
                        || test.flags() == StateFlags.ALIGN4
                        || !test.auth().startsWith("hmac(sha"),
                "Scapy pads the ICV of AH over IPv4 to 4 bytes only, which is ALIGN4");
        TestHost host = new TestHost(test.outerEnds()[1], test.innerEnds()[1]);
        install(host, Direction.IN, test);
        int sequence = 1;
        for (int payload : PAYLOADS) {
            byte[] packet = Frames.udp(test.innerEnds()[0], test.innerEnds()[1])
                    .bytes(payload)
                    .packet();
            String sealed =
                    judge.ask("seal " + test.request() + " seq=" + sequence++ + " packet=" + HEX.formatHex(packet));
            List<byte[]> arrived = host.receive(Frames.framed(HEX.parseHex(sealed)));
            assertEquals(1, arrived.size(), host.stats::toProcText);
            assertEquals(HEX.formatHex(packet), HEX.formatHex(Frames.packet(arrived.getFirst())));
        }
    }

    private static final Case SHA256 = new Case(Mode.TRANSPORT, "IPv4", "IPv4", "hmac(sha256)", 0);
    private static final Case SHA256_V6 = new Case(Mode.TRANSPORT, "IPv6", "IPv6", "hmac(sha256)", 0);

    /** Router alert 148, security 130: kept. Record route 7, timestamp 68: for routers to write in. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "94040000",
                "01010100",
                "0703040144040500",
                "820bf1350000000000000000",
                "070704c000020101",
                "0707040a0a0a0a00"
            })
    void shouldProtectOptionsAsFarAsTheyStayTheSame(String options) throws IOException {
        TestHost a = new TestHost(SHA256.outerEnds()[0]);
        TestHost b = new TestHost(SHA256.outerEnds()[1]);
        install(a, Direction.OUT, SHA256);
        install(b, Direction.IN, SHA256);
        Frames frames = Frames.udp("192.0.2.1", "192.0.2.2");
        frames.options =
                HEX.parseHex(options.length() % 8 == 0 ? options : options + "00".repeat(4 - options.length() / 2 % 4));
        List<byte[]> wire = a.send(frames.frame());
        if (judge.isPresent()) {
            String packet = HEX.formatHex(Frames.packet(wire.getFirst()));
            String opened = judge.answer("open " + SHA256.request() + " packet=" + packet);
            // Scapy 2.6, of Debian 13, stumbles over an option of time stamps that is full.
            if (!opened.startsWith("error AttributeError option")) {
                assertEquals("ok " + HEX.formatHex(frames.packet()), opened);
            }
        }
        assertArrayEquals(frames.packet(), Frames.packet(b.receive(wire).getFirst()));
    }

    /**
     * Loose source route: signed as it will be at its end, with the last hop as destination and the option gone to
     * zero.
     */
    @Test
    void shouldSignASourceRoutedPacketForItsLastDestination() {
        TestHost a = new TestHost("192.0.2.1");
        TestHost b = new TestHost("192.0.2.2");
        install(b, Direction.IN, SHA256);
        StateSpecBuilder spec = Sas.spec(Mode.TRANSPORT, "192.0.2.1", "192.0.2.9", SPI);
        a.sad.insert(Sas.ah(spec, "hmac(sha256)", 128));
        a.policy(
                Direction.OUT,
                Selector.any(2),
                Sas.of(IpProtocol.AH, Sas.template(Mode.TRANSPORT, "192.0.2.1", "192.0.2.9")));
        Frames frames = Frames.udp("192.0.2.1", "192.0.2.9");
        frames.options = HEX.parseHex("830704c000020200");
        byte[] wire = a.send(frames.frame()).getFirst();
        // What the router 192.0.2.9 does: the route's next address becomes the destination, its own takes the place.
        Bytes.putI32(wire, 14 + Ipv4.DESTINATION, 0xc0000202);
        Bytes.putI32(wire, 14 + 23, 0xc0000209);
        wire[14 + 22] = 8;
        Ipv4.finish(wire, 14, Ipv4.totalLength(wire, 14));
        assertEquals(1, b.receive(List.of(wire)).size(), b.stats::toProcText);
    }

    /**
     * A routing header with one segment left is signed as it arrives; hop-by-hop options may change where they say so.
     */
    @Test
    void shouldSignExtensionHeadersAsTheyWillArrive() {
        TestHost a = new TestHost("2001:db8::1");
        TestHost b = new TestHost("2001:db8::2");
        install(b, Direction.IN, SHA256_V6);
        StateSpecBuilder spec = Sas.spec(Mode.TRANSPORT, "2001:db8::1", "2001:db8::9", SPI);
        a.sad.insert(Sas.ah(spec, "hmac(sha256)", 128));
        Template template = Sas.of(IpProtocol.AH, Sas.template(Mode.TRANSPORT, "2001:db8::1", "2001:db8::9"));
        a.policy(Direction.OUT, Selector.any(10), template);
        Address last = Address.parse("2001:db8::2");
        String hopByHop = "2b00" + "3e04" + "01020304";
        String routing = "11020001" + "00000000" + HEX.toHexDigits(last.high()) + HEX.toHexDigits(last.low());
        byte[] udp = Arrays.copyOfRange(Frames.udp("2001:db8::1", "2001:db8::2").packet(), 40, 148);
        byte[] upper = HEX.parseHex(hopByHop + routing + HEX.formatHex(udp));
        byte[] wire = a.send(Frames.udp("2001:db8::1", "2001:db8::9")
                        .payload(0, upper)
                        .frame())
                .getFirst();
        int ip = 14;
        assertEquals(IpProtocol.AH, Bytes.u8(wire, ip + 48), "behind hop-by-hop and routing headers");
        // What the router 2001:db8::9 does.
        Address router = Address.parse("2001:db8::9");
        Bytes.putI64(wire, ip + Ipv6.DESTINATION, last.high());
        Bytes.putI64(wire, ip + Ipv6.DESTINATION + 8, last.low());
        Bytes.putI64(wire, ip + 56, router.high());
        Bytes.putI64(wire, ip + 64, router.low());
        wire[ip + 51] = 0;
        Bytes.putI32(wire, ip + 44, 0x09090909);
        List<byte[]> arrived = b.receive(List.of(wire));
        assertEquals(1, arrived.size(), b.stats::toProcText);
        IpPacket view = Frames.view(arrived.getFirst());
        assertEquals(IpProtocol.UDP, view.protocol);
        assertEquals(0x09090909, Bytes.i32(view.data(), view.offset + 44));
        // What the receiver must not take: an option changed that says it does not change.
        byte[] again = a.send(Frames.udp("2001:db8::1", "2001:db8::9")
                        .payload(0, upper)
                        .frame())
                .getFirst();
        Bytes.putU8(again, ip + 42, 0x1e);
        System.arraycopy(wire, ip + Ipv6.DESTINATION, again, ip + Ipv6.DESTINATION, 16);
        assertEquals(0, b.receive(List.of(again)).size());
        assertEquals(1, b.drops(DropReason.IN_STATE_PROTO_ERROR));
    }

    @ParameterizedTest(name = "byte {0}")
    @CsvSource({
        "4, id",
        "12, source",
        "20, next header",
        "60, payload",
        "21, ICV length",
        "24, SPI",
        "28, sequence",
        "32, ICV",
        "48, padding"
    })
    void shouldRefuseWhatWasChangedAndMustNot(int at, String what) {
        assertNotNull(what);
        TestHost a = new TestHost("192.0.2.1");
        TestHost b = new TestHost("192.0.2.2");
        install(a, Direction.OUT, SHA256);
        State receiving = install(b, Direction.IN, SHA256);
        byte[] wire = a.send(Frames.udp("192.0.2.1", "192.0.2.2").frame()).getFirst();
        wire[14 + at] ^= 1;
        Ipv4.finish(wire, 14, Ipv4.totalLength(wire, 14));
        assertEquals(0, b.receive(List.of(wire)).size());
        DropReason reason = at == 24 ? DropReason.IN_NO_STATES : DropReason.IN_STATE_PROTO_ERROR;
        assertEquals(1, b.drops(reason), b.stats::toProcText);
        assertEquals(at == 24 || at == 21 ? 0 : 1, receiving.integrityFailures());
        assertEquals(0, receiving.usage().packets());
    }

    @Test
    void shouldDropWhatIsTooShortOrReplayed() {
        TestHost a = new TestHost("192.0.2.1");
        TestHost b = new TestHost("192.0.2.2");
        install(a, Direction.OUT, SHA256);
        install(b, Direction.IN, SHA256);
        byte[] eleven = Frames.udp("192.0.2.1", "192.0.2.2")
                .inbound()
                .payload(IpProtocol.AH, new byte[11])
                .frame();
        assertEquals(0, b.receive(eleven).size());
        assertEquals(1, b.drops(DropReason.IN_HDR_ERROR));
        byte[] wire = a.send(Frames.udp("192.0.2.1", "192.0.2.2").frame()).getFirst();
        assertEquals(1, b.receive(List.of(wire)).size());
        assertEquals(0, b.receive(List.of(wire)).size());
        assertEquals(1, b.drops(DropReason.IN_STATE_SEQ_ERROR));
    }

    /** Lengths that lead out of the header, or nowhere: what lies behind must neither be cleared nor looked at. */
    @ParameterizedTest
    @ValueSource(strings = {"07010000", "07050000", "01010107", "83030400", "44ff0000"})
    void shouldRefuseIpv4OptionsThatDoNotFit(String options) {
        TestHost a = new TestHost("192.0.2.1");
        install(a, Direction.OUT, SHA256);
        Frames broken = Frames.udp("192.0.2.1", "192.0.2.2");
        broken.options = HEX.parseHex(options);
        assertEquals(0, a.send(broken.frame()).size());
        assertEquals(1, a.drops(DropReason.OUT_STATE_PROTO_ERROR), a.stats::toProcText);
    }

    /** Options one byte too long, a type without a length, and more segments left than there are. */
    @ParameterizedTest
    @CsvSource({"0, 11003e0500000000", "0, 110001030000003e", "43, 1100000100000000"})
    void shouldRefuseIpv6HeadersThatDoNotFit(int protocol, String header) {
        TestHost a = new TestHost("2001:db8::1");
        install(a, Direction.OUT, SHA256_V6);
        byte[] upper = HEX.parseHex(header.substring(0, 16) + "045708ae00080000");
        assertEquals(
                0,
                a.send(Frames.udp("2001:db8::1", "2001:db8::2")
                                .payload(protocol, upper)
                                .frame())
                        .size());
        assertEquals(1, a.drops(DropReason.OUT_STATE_PROTO_ERROR), a.stats::toProcText);
    }

    /** RFC 4302 wants eight bytes in IPv6, a kernel wants them in IPv4 as well unless told otherwise. */
    @ParameterizedTest
    @CsvSource({
        "IPv4, 0, 32, 128",
        "IPv4, 64, 28, 128",
        "IPv6, 0, 32, 128",
        "IPv6, 64, 32, 128",
        "IPv4, 0, 24, 96",
        "IPv4, 64, 24, 96",
        "IPv4, 64, 20, 64",
        "IPv4, 64, 16, 8"
    })
    void shouldPadTheHeaderAsTheStateSays(String family, int flags, int ahBytes, int icvBits) {
        Case test = new Case(Mode.TUNNEL, "IPv4", family, "hmac(sha256)", flags);
        String[] ends = test.outerEnds();
        TestHost host = new TestHost(ends[0]);
        StateSpecBuilder spec = Sas.spec(Mode.TUNNEL, ends[0], ends[1], SPI);
        spec.flags(spec.flags() | flags);
        host.sad.insert(Sas.ah(spec, "hmac(sha256)", icvBits));
        host.policy(Direction.OUT, Selector.any(2), Sas.of(IpProtocol.AH, Sas.template(Mode.TUNNEL, ends[0], ends[1])));
        int outerBytes = family.equals("IPv4") ? 20 : 40;
        int longest = 1500 - outerBytes - ahBytes;
        byte[] wire = host.send(Frames.udp("10.1.0.1", "10.2.0.1")
                        .dontFragment()
                        .bytes(longest - 28)
                        .frame())
                .getFirst();
        assertEquals(1500, wire.length - 14);
        assertEquals(ahBytes / 4 - 2, wire[14 + outerBytes + 1]);
        assertEquals(
                0,
                host.send(Frames.udp("10.1.0.1", "10.2.0.1")
                                .dontFragment()
                                .bytes(longest - 27)
                                .frame())
                        .size());
        byte[] answer = host.stack.drain().getFirst();
        assertEquals(longest, Bytes.u16(answer, 14 + 20 + 6), "told in the ICMP error");
    }
}
