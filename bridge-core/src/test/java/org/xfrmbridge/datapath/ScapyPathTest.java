package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.esp.ScapyJudge;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateSpecBuilder;

/**
 * Whole packets against Scapy, which nobody here wrote: transport and tunnel mode, both families, ESP bare and in UDP.
 */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ScapyPathTest {
    private static final HexFormat HEX = HexFormat.of();
    private static final int SPI = 4711;
    private static final int[] PAYLOADS = {0, 1, 15, 16, 17, 600, 1300};

    @RegisterExtension
    static final ScapyJudge judge = new ScapyJudge("/scapy/path_judge.py");

    record Case(Mode mode, String inner, String outer, boolean udp, Sas.Cipher suite) {
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

        String request() {
            boolean tunnel = mode == Mode.TUNNEL;
            return "suite=" + suite + " spi=" + SPI + " nat=" + (udp ? 1 : 0) + " src="
                    + (tunnel ? outerEnds()[0] : "-") + " dst=" + (tunnel ? outerEnds()[1] : "-");
        }
    }

    static List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        String[] families = {"IPv4", "IPv6"};
        for (Mode mode : new Mode[] {Mode.TRANSPORT, Mode.TUNNEL}) {
            for (String inner : families) {
                for (String outer : families) {
                    for (Sas.Cipher suite : Sas.Cipher.values()) {
                        if (mode == Mode.TUNNEL || inner.equals(outer)) {
                            cases.add(new Case(mode, inner, outer, false, suite));
                            cases.add(new Case(mode, inner, outer, true, suite));
                        }
                    }
                }
            }
        }
        return cases;
    }

    private static StateSpecBuilder spec(Case test) {
        StateSpecBuilder spec = Sas.spec(test.mode(), test.outerEnds()[0], test.outerEnds()[1], SPI);
        if (test.udp()) {
            spec.encapsulation(new Encapsulation(Encapsulation.UDP_ENCAP_ESPINUDP, 4500, 4500, Address.ANY));
        }
        return spec;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void shouldSealWhatScapyOpens(Case test) throws IOException {
        TestHost host = new TestHost(test.outerEnds()[0]);
        host.sad.insert(Sas.state(spec(test), test.suite()));
        host.policy(
                Direction.OUT,
                Selector.any(Sas.family(test.innerEnds()[0])),
                Sas.template(test.mode(), test.outerEnds()[0], test.outerEnds()[1]));
        for (int payload : PAYLOADS) {
            Frames frames = Frames.udp(test.innerEnds()[0], test.innerEnds()[1]).bytes(payload);
            byte[] sealed = Frames.packet(host.send(frames.frame()).getFirst());
            String opened = judge.ask("open " + test.request() + " packet=" + HEX.formatHex(sealed));
            assertEquals(HEX.formatHex(frames.packet()), opened);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void shouldOpenWhatScapySealed(Case test) throws IOException {
        TestHost host = new TestHost(test.outerEnds()[1], test.innerEnds()[1]);
        host.sad.insert(Sas.state(spec(test), test.suite()));
        host.policy(
                Direction.IN,
                Selector.any(Sas.family(test.innerEnds()[0])),
                Sas.template(test.mode(), test.outerEnds()[0], test.outerEnds()[1]));
        if (test.udp()) {
            int family = Sas.family(test.outerEnds()[0]);
            LocalEndpoint at = new LocalEndpoint(family, IpProtocol.UDP, Address.ANY, 4500);
            host.sockets.setEncapsulation("test", 1, at, Encapsulation.UDP_ENCAP_ESPINUDP);
            PolicySpec bypass =
                    TestHost.spec(Direction.IN, Selector.any(family), PolicySpec.Action.ALLOW, 0, PolicySpec.Type.MAIN);
            host.sockets.setPolicy("test", 1, at, bypass, 1);
        }
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
        assertEquals(List.of(), host.told);
    }
}
