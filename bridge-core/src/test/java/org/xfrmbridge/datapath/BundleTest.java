package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.esp.ScapyJudge;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;

/**
 * Several States for one packet: IPComp inside, ESP around it, AH outermost (RFC 3173 section 2, RFC 4301 appendix D).
 */
class BundleTest {
    private static final HexFormat HEX = HexFormat.of();
    private static final String[] INNER = {"10.1.0.1", "10.2.0.1"};
    private static final String[] OUTER = {"192.0.2.1", "192.0.2.2"};
    private static final String[] OUTER6 = {"2001:db8::1", "2001:db8::2"};

    @RegisterExtension
    static final ScapyJudge judge = new ScapyJudge("/scapy/path_judge.py");

    /** @param layers innermost first, as in a policy: the first one in tunnel mode, the others in transport mode */
    record Case(List<Integer> layers, boolean tunnel, String family) {
        String[] outer() {
            return family.equals("IPv4") ? OUTER : OUTER6;
        }

        String[] inner() {
            return tunnel ? INNER : outer();
        }

        Mode mode(int layer) {
            return tunnel && layer == 0 ? Mode.TUNNEL : Mode.TRANSPORT;
        }
    }

    static List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        int esp = IpProtocol.ESP;
        int ah = IpProtocol.AH;
        int comp = IpProtocol.COMP;
        for (List<Integer> layers : List.of(
                List.of(esp, ah),
                List.of(comp, esp),
                List.of(comp, ah),
                List.of(comp, esp, ah),
                List.of(esp, esp, ah))) {
            for (String family : new String[] {"IPv4", "IPv6"}) {
                cases.add(new Case(layers, true, family));
                cases.add(new Case(layers, false, family));
            }
        }
        return cases;
    }

    private static List<State> install(TestHost host, Direction direction, Case test) {
        List<State> states = new ArrayList<>();
        List<Template> templates = new ArrayList<>();
        String[] ends = test.outer();
        for (int i = 0; i < test.layers().size(); i++) {
            int protocol = test.layers().get(i);
            StateSpecBuilder spec = Sas.spec(test.mode(i), ends[0], ends[1], 100 + i)
                    .reqid(1 + i)
                    .selector(Selector.any(AddressFamily.UNSPEC));
            State state = switch (protocol) {
                case IpProtocol.AH -> Sas.ah(spec, "hmac(sha1)");
                case IpProtocol.COMP -> Sas.comp(spec);
                default -> Sas.state(spec, Sas.Cipher.NULL_SHA1);
            };
            states.add(state);
            host.sad.insert(state);
            if (protocol == IpProtocol.COMP && test.tunnel() && direction == Direction.IN) {
                host.sad.insert(Sas.ipip(Sas.spec(Mode.TUNNEL, ends[0], ends[1], 1)));
            }
            boolean optional = protocol == IpProtocol.COMP && direction == Direction.IN;
            templates.add(Sas.of(protocol, Sas.template(test.mode(i), ends[0], ends[1], 1 + i, optional)));
        }
        host.policy(direction, Selector.any(Sas.family(test.inner()[0])), templates.toArray(new Template[0]));
        return states;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void shouldDeliverUnchangedWhatTheOtherEndSent(Case test) {
        TestHost a = new TestHost(test.outer()[0], test.inner()[0]);
        TestHost b = new TestHost(test.outer()[1], test.inner()[1]);
        List<State> sending = install(a, Direction.OUT, test);
        List<State> receiving = install(b, Direction.IN, test);
        boolean compresses = test.layers().getFirst() == IpProtocol.COMP;
        int layers = test.layers().size();
        for (int payload : new int[] {0, 20, 200, 1200}) {
            Frames frames = Frames.udp(test.inner()[0], test.inner()[1]).bytes(payload);
            List<byte[]> wire = a.send(frames.frame());
            assertEquals(
                    test.layers().getLast(),
                    Frames.view(wire.getFirst()).protocol,
                    "the last template's State is outermost");
            List<byte[]> arrived = b.receive(wire);
            assertEquals(1, arrived.size(), b.stats::toProcText);
            assertArrayEquals(frames.packet(), Frames.packet(arrived.getFirst()));
        }
        for (int i = compresses ? 1 : 0; i < layers; i++) {
            assertEquals(
                    sending.get(i).usage().bytes(), receiving.get(i).usage().bytes());
            assertEquals(4, receiving.get(i).usage().packets());
        }
        long before = b.stats.inbound(Metric.LOOKUPS) - b.stats.inbound(Metric.HANDED_OVER);
        long outBefore = a.stats.outbound(Metric.LOOKUPS) - a.stats.outbound(Metric.HANDED_OVER);
        b.receive(
                a.send(Frames.udp(test.inner()[0], test.inner()[1]).bytes(1200).frame()));
        // What is handed over to another thread is looked up there once more.
        long after = b.stats.inbound(Metric.LOOKUPS) - b.stats.inbound(Metric.HANDED_OVER);
        long outAfter = a.stats.outbound(Metric.LOOKUPS) - a.stats.outbound(Metric.HANDED_OVER);
        assertEquals(layers, after - before, "one per State, none for the policies");
        assertEquals(1, outAfter - outBefore);
    }

    @ParameterizedTest
    @CsvSource({"IPv4, true", "IPv4, false", "IPv6, true", "IPv6, false"})
    void shouldSatisfyScapyWithAhOverEsp(String family, boolean tunnel) throws IOException {
        Case test = new Case(List.of(IpProtocol.ESP, IpProtocol.AH), tunnel, family);
        TestHost a = new TestHost(test.outer()[0], test.inner()[0]);
        TestHost b = new TestHost(test.outer()[1], test.inner()[1]);
        install(a, Direction.OUT, test);
        install(b, Direction.IN, test);
        String ends = tunnel ? " src=" + test.outer()[0] + " dst=" + test.outer()[1] : " src=- dst=-";
        String esp = "suite=NULL_SHA1 spi=100 nat=0" + ends;
        String ah = "suite=AH_sha1 spi=101 nat=0 src=- dst=-";
        for (int payload : new int[] {0, 1, 17, 600}) {
            Frames frames = Frames.udp(test.inner()[0], test.inner()[1]).bytes(payload);
            byte[] sealed = Frames.packet(a.send(frames.frame()).getFirst());
            String opened = judge.ask("open " + ah + " packet=" + HEX.formatHex(sealed));
            assertEquals(HEX.formatHex(frames.packet()), judge.ask("open " + esp + " packet=" + opened));
            String inside =
                    judge.ask("seal " + esp + " seq=" + (payload + 1) + " packet=" + HEX.formatHex(frames.packet()));
            // HMAC-SHA1-96 fills whole units of eight bytes: Scapy's padding to four and the kernel's to eight agree.
            String outside = judge.ask("seal " + ah + " seq=" + (payload + 1) + " packet=" + inside);
            List<byte[]> arrived = b.receive(Frames.framed(HEX.parseHex(outside)));
            assertEquals(1, arrived.size(), b.stats::toProcText);
            assertArrayEquals(frames.packet(), Frames.packet(arrived.getFirst()));
        }
    }

    /** The longest packet that fits fits exactly, and what does not is told the right size. */
    @ParameterizedTest
    @MethodSource("cases")
    void shouldTellTheExactMtu(Case test) {
        TestHost a = new TestHost(test.outer()[0], test.inner()[0]);
        install(a, Direction.OUT, test);
        Frames small =
                Frames.udp(test.inner()[0], test.inner()[1]).dontFragment().bytes(1600);
        assertEquals(0, a.send(small.frame()).size());
        byte[] answer = a.stack.drain().getFirst();
        boolean ipv4 = small.isIpv4();
        int told = ipv4 ? Bytes.u16(answer, 14 + 20 + 6) : Bytes.i32(answer, 14 + 40 + 4);
        int headers = ipv4 ? 28 : 48;
        byte[] noise = new byte[told - headers + 8];
        new Random(1).nextBytes(noise);
        noise[0] = 0;
        Frames longest =
                Frames.udp(test.inner()[0], test.inner()[1]).dontFragment().payload(IpProtocol.GRE, noise);
        List<byte[]> wire = a.send(longest.frame());
        assertEquals(1, wire.size());
        int outer = wire.getFirst().length - 14;
        int units = test.layers().contains(IpProtocol.ESP) ? 4 : 1;
        int esps = (int)
                test.layers().stream().filter(layer -> layer == IpProtocol.ESP).count();
        assertEquals(true, outer <= 1500 && outer > 1500 - Math.max(1, units * esps), outer + " bytes");
        Frames longer = Frames.udp(test.inner()[0], test.inner()[1])
                .dontFragment()
                .payload(IpProtocol.GRE, Arrays.copyOf(noise, noise.length + 1));
        assertEquals(0, a.send(longer.frame()).size(), "one byte more is too long");
    }

    /** An optional transform outbound: left out while it has no State, asked for, and used as soon as it has. */
    @Test
    void shouldLeaveOutAnOptionalStateThatIsNotThere() {
        TestHost a = new TestHost(OUTER[0], INNER[0]);
        StateSpecBuilder esp = Sas.spec(Mode.TUNNEL, OUTER[0], OUTER[1], 7);
        a.sad.insert(Sas.state(esp));
        Template tunnel = Sas.template(Mode.TUNNEL, OUTER[0], OUTER[1]);
        Template ah = Sas.of(IpProtocol.AH, Sas.template(Mode.TRANSPORT, OUTER[0], OUTER[1], 2, true));
        a.policy(Direction.OUT, Selector.any(2), tunnel, ah);
        Frames frames = Frames.udp(INNER[0], INNER[1]);
        assertEquals(IpProtocol.ESP, Frames.view(a.send(frames.frame()).getFirst()).protocol);
        assertEquals(1, a.told.size());
        StateSpecBuilder spec = Sas.spec(Mode.TRANSPORT, OUTER[0], OUTER[1], 8).reqid(2);
        a.sad.insert(Sas.ah(spec, "hmac(sha1)"));
        assertEquals(IpProtocol.AH, Frames.view(a.send(frames.frame()).getFirst()).protocol);
    }

    /** The security path has the outermost State first; another order than the policy's is refused. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldCompareTheOrderOfStatesWithThePolicy(boolean right) {
        Case sent = new Case(List.of(IpProtocol.ESP, IpProtocol.AH), false, "IPv4");
        TestHost a = new TestHost(OUTER[0]);
        TestHost b = new TestHost(OUTER[1]);
        install(a, Direction.OUT, sent);
        install(b, Direction.IN, sent);
        Template esp = Sas.template(Mode.TRANSPORT, OUTER[0], OUTER[1], 1, false);
        Template ah = Sas.of(IpProtocol.AH, Sas.template(Mode.TRANSPORT, OUTER[0], OUTER[1], 2, false));
        b.policy(Direction.IN, Selector.any(2), right ? esp : ah, right ? ah : esp);
        assertEquals(
                right ? 1 : 0,
                b.receive(a.send(Frames.udp(OUTER[0], OUTER[1]).frame())).size());
        assertEquals(right ? 0 : 1, b.drops(DropReason.IN_TMPL_MISMATCH));
    }
}
