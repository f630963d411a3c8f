package org.xfrmbridge.datapath;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.xfrmbridge.db.SocketPolicies.LocalEndpoint;
import org.xfrmbridge.explain.Explainer;
import org.xfrmbridge.explain.PacketReport;
import org.xfrmbridge.km.RemovedStates;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.ReplayState;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;
import org.xfrmbridge.xfrm.Usage;

/** Each cause that a packet may be dropped for, provoked by real packets, and what is said of it. */
class DropCauseTest {
    private static final String HERE = "192.0.2.1";
    private static final String THERE = "192.0.2.2";
    private static final Selector OUT = Sas.between("10.1.0.0/16", "10.2.0.0/16");
    private static final Selector BACK = Sas.between("10.2.0.0/16", "10.1.0.0/16");

    /** What no packet of a test brings about, each with where it is from. */
    private static final Set<DropCause> UNPROVOKED = EnumSet.of(
            // of each route the mode has its header already: it would have to change its mind
            DropCause.OUT_MODE_REFUSED,
            // where one thread is behind another: SeveralThreadsTest
            DropCause.OUT_BACKLOG_FULL,
            DropCause.IN_BACKLOG_FULL,
            // the headers of a whole packet are those of its first fragment, which was read
            DropCause.OUT_FRAGMENTS_UNREADABLE,
            DropCause.IN_FRAGMENTS_UNREADABLE);

    /** Two hosts, and what a test does to them until one drops a packet. */
    private static final class Pair {
        final TestHost host = new TestHost(HERE, "10.1.0.1");
        final TestHost peer = new TestHost(THERE, "10.2.0.1");
        /** In whose place this one drops the packet, if it is not null. */
        StackHost stack;

        PathContext context() {
            return stack == null ? host.context() : stack.context();
        }

        /** With the host's databases. */
        StackHost beInStack() {
            stack = new StackHost(host);
            return stack;
        }

        void send() {
            host.send(Frames.udp("10.1.0.1", "10.2.0.1").frame());
        }

        void protect(Template... templates) {
            host.policy(Direction.OUT, OUT, templates);
        }

        void protect() {
            protect(Sas.template(Mode.TUNNEL, HERE, THERE));
        }

        State state(StateSpecBuilder spec) {
            State state = Sas.state(spec);
            host.sad.insert(state);
            return state;
        }

        StateSpecBuilder leaving() {
            return Sas.spec(Mode.TUNNEL, HERE, THERE, 7);
        }

        StateSpecBuilder coming() {
            return Sas.spec(Mode.TUNNEL, THERE, HERE, 0xc1000001);
        }

        List<byte[]> sealed() {
            return sealed("10.1.0.1");
        }

        List<byte[]> sealed(String destination) {
            if (peer.sad.size() == 0) {
                peer.policy(
                        Direction.OUT,
                        Sas.between("10.2.0.0/16", "10.0.0.0/8"),
                        Sas.template(Mode.TUNNEL, THERE, HERE));
                peer.sad.insert(Sas.state(coming()));
            }
            return peer.send(Frames.udp("10.2.0.1", destination).frame());
        }

        void accept() {
            host.policy(Direction.IN, BACK, Sas.template(Mode.TUNNEL, THERE, HERE));
        }

        void receive() {
            host.receive(sealed());
        }

        void receiveClear() {
            host.receive(Frames.udp("10.2.0.1", "10.1.0.1").inbound().frame());
        }
    }

    private interface Provocation {
        void run(Pair pair);
    }

    private record Case(DropCause cause, String words, Provocation provocation) {
        @Override
        public String toString() {
            return cause.name();
        }
    }

    private static final Map<DropCause, Case> CASES = new EnumMap<>(DropCause.class);

    private static void when(DropCause cause, String words, Provocation provocation) {
        CASES.put(cause, new Case(cause, words, provocation));
    }

    static {
        out();
        odd();
        inStack();
        in();
        policies();
    }

    private static void out() {
        when(DropCause.OUT_UNREADABLE, "broken header", pair -> {
            pair.protect();
            byte[] frame = Frames.udp("10.1.0.1", "10.2.0.1").frame();
            frame[14] = 0x41;
            pair.host.send(frame);
        });
        when(DropCause.OUT_BLOCKED, "blocks udp 10.1.0.1:1111 -> 10.2.0.1:2222 (128 bytes)", pair -> {
            pair.host.policy(Direction.OUT, OUT, PolicySpec.Action.BLOCK, 100);
            pair.send();
        });
        when(DropCause.OUT_BLOCKED_BY_DEFAULT, "it is for mark 0x5/0xff, and the packet has mark 0x0", pair -> {
            pair.host.spd.setDefaultAction(Direction.OUT, PolicySpec.Action.BLOCK);
            pair.host.spd.add(
                    TestHost.spec(Direction.OUT, OUT, PolicySpec.Action.ALLOW, 1, PolicySpec.Type.MAIN).toBuilder()
                            .mark(new Mark(5, 0xff))
                            .build(),
                    1);
            pair.send();
        });
        when(DropCause.OUT_TOO_MANY_TEMPLATES, "six templates", pair -> {
            Template[] six = new Template[6];
            Arrays.fill(six, Sas.template(Mode.TUNNEL, HERE, THERE));
            pair.protect(six);
            pair.send();
        });
        when(DropCause.OUT_NO_SOURCE, "no address towards 192.0.2.2", pair -> {
            pair.protect(Sas.template(Mode.TUNNEL, "0.0.0.0", THERE));
            pair.send();
        });
        when(DropCause.OUT_ACQUIRE_REFUSED, "too many key exchanges", pair -> {
            pair.host.refusesAcquires = true;
            pair.protect();
            pair.send();
        });
        when(DropCause.OUT_NO_STATE, "wants esp reqid 1 mode tunnel 192.0.2.1 -> 192.0.2.2", pair -> {
            pair.protect();
            pair.state(pair.leaving().reqid(2));
            pair.send();
        });
        when(DropCause.OUT_STATE_AWAITED, "has not answered yet", pair -> {
            pair.protect();
            pair.host.sad.insert(Sas.larval(Sas.spec(Mode.TUNNEL, HERE, THERE, 0)));
            pair.send();
        });
        when(DropCause.OUT_STATE_ENDED, "SA 0x00000007 (esp, 192.0.2.1 -> 192.0.2.2, reqid 1, tunnel)", pair -> {
            pair.protect();
            pair.state(pair.leaving()).enter(State.Phase.EXPIRED);
            pair.send();
        });
        when(DropCause.OUT_NO_WAY, "no way to 192.0.2.2", pair -> {
            pair.protect();
            pair.state(pair.leaving());
            pair.host.network.setGateway(null);
            pair.send();
        });
        when(DropCause.OUT_STATE_UNFIT, "cannot carry", pair -> {
            pair.protect();
            pair.host.sad.insert(new State(pair.leaving().build(), State.Phase.VALID, new Usage(1)));
            pair.send();
        });
        when(DropCause.OUT_NO_MEMORY, "no memory to begin with SA 0x00000007", pair -> {
            pair.protect();
            pair.state(pair.leaving());
            pair.host.memoryIsFull = true;
            pair.send();
        });
        when(DropCause.OUT_TOO_LONG, "longer than the 1446 bytes that fit into SA 0x00000007", pair -> {
            pair.protect();
            pair.state(pair.leaving());
            pair.host.send(Frames.udp("10.1.0.1", "10.2.0.1")
                    .bytes(1450)
                    .dontFragment()
                    .frame());
        });
        when(DropCause.OUT_STATE_FOR_IN, "added for dir in", pair -> {
            pair.protect();
            pair.state(pair.leaving().direction(1));
            pair.send();
        });
        when(DropCause.OUT_LIMIT_REACHED, "1 of 1 packets, 128 bytes, hard limit 60 s, soft limit 50 s", pair -> {
            Lifetime limits = Lifetime.builder()
                    .hardPackets(1)
                    .hardAddSeconds(60)
                    .softAddSeconds(50)
                    .build();
            pair.protect();
            pair.state(pair.leaving().lifetime(limits));
            pair.send();
            pair.send();
        });
        when(DropCause.OUT_NUMBERS_USED_UP, "the last was 4294967295", pair -> {
            pair.protect();
            pair.state(pair.leaving().replay(new ReplayState(-1, 0, 0, 0, 0, new int[1])));
            pair.send();
        });
    }

    /** What no host builds by itself. */
    private static void odd() {
        when(DropCause.OUT_OVERLONG, "longer than an IP packet can be once SA 0x00000007", pair -> {
            pair.protect();
            pair.state(pair.leaving());
            pair.host.send(Frames.udp("10.1.0.1", "10.2.0.1").bytes(65_500).frame());
        });
        when(DropCause.OUT_SEAL_FAILED, "could not be protected by SA 0x00000007 (ah", pair -> {
            pair.protect(Sas.of(IpProtocol.AH, Sas.template(Mode.TRANSPORT, HERE, THERE)));
            pair.host.policy(
                    Direction.OUT,
                    Selector.any(AddressFamily.INET),
                    Sas.of(IpProtocol.AH, Sas.template(Mode.TRANSPORT, HERE, THERE)));
            pair.host.sad.insert(Sas.ah(Sas.spec(Mode.TRANSPORT, HERE, THERE, 7), "hmac(sha1)"));
            Frames unfinished = Frames.udp(HERE, THERE);
            unfinished.options = new byte[] {7, 40, 4, 0};
            pair.host.send(unfinished.frame());
        });
        when(DropCause.OUT_NOT_DIVISIBLE, "longer than the 1280 bytes of its way, and cannot be divided", pair -> {
            pair.host.network.setMtu(1280);
            pair.host.policy(
                    Direction.OUT,
                    Selector.any(AddressFamily.INET6),
                    Sas.template(Mode.TRANSPORT, "2001:db8::1", "2001:db8::2"));
            pair.state(Sas.spec(Mode.TRANSPORT, "2001:db8::1", "2001:db8::2", 7));
            pair.host.send(Frames.udp("2001:db8::1", "2001:db8::2")
                    .payload(IpProtocol.ANY, optionsBefore(new byte[8], 1232))
                    .frame());
        });
        when(DropCause.OUT_PIECES_IMPOSSIBLE, "cannot be divided into pieces of the 552 bytes", pair -> {
            pair.host.policy(Direction.OUT, Selector.any(AddressFamily.INET6), Sas.template(Mode.TUNNEL, HERE, THERE));
            pair.state(pair.leaving());
            pair.host.send(fragmentsOfLongOptions("fd01::1", "fd02::1", 1008));
        });
        when(DropCause.IN_NOT_DIVISIBLE, "cannot be divided again for the host", pair -> {
            pair.host.network.addLocal("fd01::1");
            pair.host.receive(List.of(fragmentsOfLongOptions("fd02::1", "fd01::1", 8)));
        });
    }

    /** Options for the destination, so many bytes of them, with UDP behind. */
    private static byte[] optionsBefore(byte[] upper, int bytes) {
        byte[] both = Arrays.copyOf(new byte[] {IpProtocol.UDP, (byte) (bytes / 8 - 1)}, bytes + upper.length);
        System.arraycopy(upper, 0, both, bytes, upper.length);
        return both;
    }

    /** The first has options for the destination and nothing else, and no other one is longer. */
    private static byte[][] fragmentsOfLongOptions(String source, String destination, int upperBytes) {
        int step = 504;
        byte[] whole = optionsBefore(new byte[upperBytes], step);
        List<byte[]> fragments = new ArrayList<>();
        for (int start = 0; start < whole.length; start += step) {
            int end = Math.min(start + step, whole.length);
            int more = end < whole.length ? Ipv6.FRAGMENT_MORE : 0;
            fragments.add(fragment(source, destination, Arrays.copyOfRange(whole, start, end), start | more));
        }
        return fragments.toArray(byte[][]::new);
    }

    /** @param place where it belongs, and 1 if there are more */
    private static byte[] fragment(String source, String destination, byte[] part, int place) {
        byte[] fragment = new byte[Ipv6.FRAGMENT_HEADER_BYTES + part.length];
        fragment[0] = IpProtocol.DSTOPTS;
        Bytes.putU16(fragment, Ipv6.FRAGMENT_OFFSET_FLAGS, place);
        System.arraycopy(part, 0, fragment, Ipv6.FRAGMENT_HEADER_BYTES, part.length);
        return Frames.udp(source, destination)
                .payload(IpProtocol.FRAGMENT, fragment)
                .frame();
    }

    private static void inStack() {
        when(DropCause.OUT_CLEAR_TOO_LONG, "is to pass in the clear, is longer than the 1300 bytes", pair -> {
            pair.host.network.setMtu(1300);
            pair.beInStack().send(Frames.udp("10.9.0.1", "10.2.0.1").bytes(1400).dontFragment());
        });
        when(DropCause.FWD_INTO_VRF, "came through a tunnel of a VRF", pair -> {
            pair.state(pair.coming());
            pair.host.policy(Direction.FWD, Selector.any(AddressFamily.INET), Sas.template(Mode.TUNNEL, THERE, HERE));
            pair.host.network.setVrf(4, 9);
            pair.beInStack().receive(StackHost.arriving(pair.sealed("10.9.0.1").getFirst(), 0, 4));
        });
    }

    private static void in() {
        when(DropCause.IN_UNREADABLE, "broken IP header", pair -> {
            byte[] frame = Frames.udp("10.2.0.1", "10.1.0.1").inbound().frame();
            frame[14] = 0x41;
            pair.host.receive(frame);
        });
        when(
                DropCause.IN_CUT_SHORT,
                "too short",
                pair -> pair.host.receive(Frames.udp(THERE, HERE)
                        .payload(IpProtocol.ESP, new byte[7])
                        .inbound()
                        .frame()));
        when(DropCause.IN_TOO_DEEP, "more than six times", pair -> {
            pair.state(pair.coming());
            pair.peer.policy(Direction.OUT, Sas.between("10.2.0.0/16", "10.0.0.0/8"), seven(5));
            pair.peer.policy(Direction.OUT, Sas.between(THERE + "/32", HERE + "/32"), seven(2));
            pair.peer.sad.insert(Sas.state(pair.coming()));
            byte[] five = Frames.packet(pair.sealed().getFirst());
            byte[] frame = Frames.framed(five);
            Frames outbound = new Frames();
            System.arraycopy(outbound.frame(), 0, frame, 0, 12);
            pair.host.receive(pair.peer.send(frame));
        });
        when(DropCause.IN_NO_MEMORY, "no memory to begin with SA 0xc1000001", pair -> {
            pair.state(pair.coming());
            pair.host.memoryIsFull = true;
            pair.receive();
        });
        when(
                DropCause.IN_UNKNOWN_SPI,
                "SPI 0xc1000001 (esp) to 192.0.2.1 from 192.0.2.2: this side never had it",
                Pair::receive);
        when(DropCause.IN_STATE_FOR_OUT, "added for dir out", pair -> {
            pair.state(pair.coming().direction(2));
            pair.receive();
        });
        when(DropCause.IN_STATE_LARVAL, "no keys yet", pair -> {
            pair.state(pair.coming()).enter(State.Phase.ACQUIRING);
            pair.receive();
        });
        when(DropCause.IN_STATE_ENDED, "is given up by its IKE daemon, and the peer still sends", pair -> {
            pair.state(pair.coming()).enter(State.Phase.ERROR);
            pair.receive();
        });
        when(DropCause.IN_NO_ALGORITHM, "no algorithms", pair -> {
            pair.host.sad.insert(new State(pair.coming().build(), State.Phase.VALID, new Usage(1)));
            pair.receive();
        });
        when(DropCause.IN_NOT_AUTHENTIC, "integrity check of number 1 failed for SA 0xc1000001", pair -> {
            pair.state(pair.coming());
            byte[] frame = pair.sealed().getFirst();
            frame[60] ^= 1;
            pair.host.receive(List.of(frame));
        });
        when(DropCause.IN_MALFORMED, "number 1 of SA", pair -> {
            pair.state(pair.coming());
            byte[] esp = new byte[12];
            Bytes.putI32(esp, 0, 0xc1000001);
            esp[7] = 1;
            pair.host.receive(Frames.udp(THERE, HERE)
                    .payload(IpProtocol.ESP, esp)
                    .inbound()
                    .frame());
        });
        when(DropCause.IN_ENCAPSULATION_DIFFERS, "was agreed in UDP from port 4500 to 4500, and the packet", pair -> {
            pair.state(pair.coming()
                    .encapsulation(new Encapsulation(Encapsulation.UDP_ENCAP_ESPINUDP, 4500, 4500, Address.ANY)));
            pair.receive();
        });
        when(DropCause.IN_REPLAYED, "number 1 of SA 0xc1000001", pair -> {
            pair.state(pair.coming());
            pair.accept();
            List<byte[]> sealed = pair.sealed();
            byte[] again = sealed.getFirst().clone();
            pair.host.receive(sealed);
            pair.host.receive(List.of(again));
        });
        when(DropCause.IN_OUTSIDE_WINDOW, "The highest until now is 1000, the window 32 bits.", pair -> {
            pair.state(pair.coming().replay(new ReplayState(0, 1000, 0, 0, 0, new int[1])));
            pair.receive();
        });
        when(DropCause.IN_NUMBER_ZERO, "number 0 came", pair -> {
            pair.state(pair.coming());
            byte[] frame = pair.sealed().getFirst();
            Bytes.putI32(frame, 14 + 20 + 4, 0);
            pair.host.receive(List.of(frame));
        });
        when(DropCause.IN_LIMIT_REACHED, "1 of 1 packets", pair -> {
            pair.state(pair.coming().lifetime(Lifetime.builder().hardPackets(1).build()));
            pair.accept();
            pair.receive();
            pair.receive();
        });
        when(DropCause.IN_MODE_DIFFERS, "not what its mode wants", pair -> {
            pair.peer.policy(
                    Direction.OUT, Selector.any(AddressFamily.INET), Sas.template(Mode.TRANSPORT, THERE, HERE));
            pair.peer.sad.insert(Sas.state(Sas.spec(Mode.TRANSPORT, THERE, HERE, 0xc1000001)));
            pair.state(pair.coming());
            pair.host.receive(pair.peer.send(Frames.udp(THERE, HERE).frame()));
        });
    }

    private static Template[] seven(int count) {
        Template[] templates = new Template[count];
        Arrays.fill(templates, Sas.template(Mode.TUNNEL, THERE, HERE));
        return templates;
    }

    private static void policies() {
        when(DropCause.IN_TOO_MANY_TEMPLATES, "six templates", pair -> {
            Template[] six = new Template[6];
            Arrays.fill(six, Sas.template(Mode.TUNNEL, THERE, HERE));
            pair.host.policy(Direction.IN, BACK, six);
            pair.receiveClear();
        });
        when(DropCause.IN_SELECTOR_DIFFERS, "whose selector is for other packets: src 10.2.0.9/32", pair -> {
            pair.accept();
            pair.state(pair.coming().selector(Sas.between("10.2.0.9/32", "10.1.0.0/16")));
            pair.receive();
        });
        when(DropCause.IN_NO_POLICY, "no fwd policy is for it. The nearest is in policy", pair -> {
            pair.host.policy(Direction.IN, Selector.any(AddressFamily.INET), Sas.template(Mode.TUNNEL, THERE, HERE));
            pair.state(pair.coming());
            pair.host.receive(pair.sealed("10.9.0.1"));
        });
        when(DropCause.IN_BLOCKED_BY_DEFAULT, "the default verdict blocks", pair -> {
            pair.host.spd.setDefaultAction(Direction.IN, PolicySpec.Action.BLOCK);
            pair.receiveClear();
        });
        when(DropCause.IN_BLOCKED, "in policy", pair -> {
            pair.host.policy(Direction.IN, BACK, PolicySpec.Action.BLOCK, 1);
            pair.receiveClear();
        });
        when(DropCause.IN_NOT_PROTECTED, "came in the clear, and in policy", pair -> {
            pair.accept();
            pair.receiveClear();
        });
        when(DropCause.IN_TEMPLATE_UNMET, "its reqid is 1, not 9", pair -> {
            pair.host.policy(Direction.IN, BACK, Sas.template(Mode.TUNNEL, THERE, HERE, 9, false));
            pair.state(pair.coming());
            pair.receive();
        });
        when(DropCause.IN_TUNNEL_UNWANTED, "has no template for that tunnel", pair -> {
            pair.host.policy(Direction.IN, BACK, PolicySpec.Action.ALLOW, 1);
            pair.state(pair.coming());
            pair.receive();
        });
    }

    static Stream<Case> cases() {
        return CASES.values().stream();
    }

    private static PacketRecord last(Pair pair) {
        List<PacketRecord> drops = pair.context().packets().latestDrops();
        assertFalse(drops.isEmpty(), pair.host.stats::toProcText);
        return drops.getLast();
    }

    private static Explainer explainer(TestHost host) {
        return new Explainer(host.databases, new RemovedStates(), new FlowQuestion(host.context()), host.clock);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void shouldSayWhatHappenedAndWhatToLookAt(Case each) {
        Pair pair = new Pair();
        each.provocation.run(pair);

        PacketRecord drop = last(pair);
        assertEquals(each.cause, drop.cause());
        XfrmStats stats = pair.stack == null ? pair.host.stats : pair.stack.stats;
        assertEquals(1, stats.drops(each.cause.reason()));
        PacketReport report = explainer(pair.host).explain(drop, "now");
        assertTrue(report.sentence().contains(each.words), report.sentence());
        assertFalse((report.sentence() + report.advice()).contains("{"), report.sentence());
        assertEquals("Xfrm" + each.cause.reason().label(), report.reason());
        assertEquals("dropped", report.verdict());
    }

    @ParameterizedTest
    @EnumSource(names = {"OUT_NOT_DIVISIBLE", "IN_NOT_DIVISIBLE"})
    void shouldNotCountAsCarriedWhatCannotBeDivided(DropCause cause) {
        Pair pair = new Pair();
        CASES.get(cause).provocation.run(pair);

        XfrmStats stats = pair.host.stats;
        assertEquals(0, stats.outbound(Metric.PASSED) + stats.outbound(Metric.PROTECTED));
        assertEquals(0, stats.inbound(Metric.PASSED) + stats.inbound(Metric.PROTECTED));
    }

    @Test
    void shouldLeaveNoCauseUnprovoked() {
        Set<DropCause> provoked = EnumSet.copyOf(CASES.keySet());
        provoked.addAll(UNPROVOKED);
        assertEquals(EnumSet.allOf(DropCause.class), provoked);
    }

    /** What is asked without a packet gets the answer of a packet. */
    @Test
    void shouldSayTheSameOfAPacketThatIsOnlyThoughtOf() {
        Pair pair = new Pair();
        pair.protect();
        pair.state(pair.leaving().reqid(2));
        pair.send();
        PacketReport real = explainer(pair.host).explain(last(pair), "now");
        Flow flow = new Flow().copyFrom(last(pair).flow());
        int told = pair.host.told.size();

        PacketRecord thought = new FlowQuestion(pair.host.context()).ask(Direction.OUT, flow);

        PacketReport report = explainer(pair.host).explain(thought, null);
        assertEquals(real.sentence(), report.sentence());
        assertEquals(real.wants(), report.wants());
        assertEquals(told, pair.host.told.size(), "nobody was asked for a State");
    }

    /** Nothing is dropped here then, but what leaves goes where nobody is any more. */
    @Test
    void shouldTellWhoWatchesDropsOfANatThatHasAnotherPort() {
        Pair pair = new Pair();
        PacketWatch drops = new PacketWatch(PacketWatch.Scope.DROPS, packet -> true, 2);
        pair.host.context().packets().add(drops);
        StateSpecBuilder inUdp = pair.coming()
                .encapsulation(new Encapsulation(Encapsulation.UDP_ENCAP_ESPINUDP, 4500, 4500, Address.ANY));
        LocalEndpoint at = new LocalEndpoint(AddressFamily.INET, IpProtocol.UDP, Address.ANY, 4500);
        pair.host.sockets.setEncapsulation("test", 1, at, Encapsulation.UDP_ENCAP_ESPINUDP);
        pair.accept();
        pair.state(inUdp);
        pair.peer.policy(Direction.OUT, BACK, Sas.template(Mode.TUNNEL, THERE, HERE));
        pair.peer.sad.insert(Sas.state(inUdp));

        pair.receive();
        assertEquals(null, drops.poll());
        byte[] moved = pair.sealed().getFirst();
        Bytes.putU16(moved, 14 + 20, 1025);
        pair.host.receive(List.of(moved));
        pair.receive();

        PacketReport report = explainer(pair.host).explain(drops.poll(), "now");
        assertEquals("opened", report.verdict());
        assertTrue(
                report.sentence()
                        .contains(
                                "Its peer is at 192.0.2.2 port 1025 now, and was agreed to be at 192.0.2.2 port 4500"),
                report.sentence());
        assertTrue(report.advice().startsWith("a NAT has another mapping"), report.advice());
        assertEquals(null, drops.poll(), "the next one is not shown for it");
    }

    @Test
    void shouldSayWhyNotABetterPolicy() {
        Pair pair = new Pair();
        pair.host.policy(Direction.OUT, OUT, PolicySpec.Action.BLOCK, 100);
        pair.host.policy(Direction.OUT, Sas.between("10.1.0.0/16", "10.2.0.0/16", 6, 443), PolicySpec.Action.ALLOW, 10);
        pair.send();

        PacketReport report = explainer(pair.host).explain(last(pair), "now");

        assertEquals(
                List.of("out policy 9 (priority 10, src 10.1.0.0/16 dst 10.2.0.0/16 proto tcp dport 443) goes before"
                        + " it, but it is for proto tcp, not udp; it is for dport 443, not 2222"),
                report.passedOver());
    }

    @Test
    void shouldNameNearestOfManyBetterPolicies() {
        Pair pair = new Pair();
        pair.host.policy(Direction.OUT, OUT, PolicySpec.Action.BLOCK, 100);
        for (int port = 1; port <= 5; port++) {
            Selector other = Sas.between("10.1.0.0/16", "10.2.0.0/16", 6, port);
            pair.host.policy(Direction.OUT, other, PolicySpec.Action.ALLOW, 10);
        }
        pair.host.policy(Direction.OUT, Sas.between("10.1.0.0/16", "10.2.0.9/32"), PolicySpec.Action.ALLOW, 50);
        pair.send();

        List<String> passedOver =
                explainer(pair.host).explain(last(pair), "now").passedOver();

        assertEquals(3, passedOver.size());
        assertTrue(passedOver.getFirst().endsWith("but it is for dst 10.2.0.9/32, not 10.2.0.1"), passedOver::toString);
    }

    @Test
    void shouldKeepTheLatestDropsAndCountWhatIsTooMuch() {
        Pair pair = new Pair();
        pair.host.policy(Direction.OUT, OUT, PolicySpec.Action.BLOCK, 100);
        byte[][] frames = new byte[50][];
        Arrays.fill(frames, Frames.udp("10.1.0.1", "10.2.0.1").frame());
        for (int i = 0; i < 30; i++) {
            pair.host.send(frames);
        }
        PacketLog log = pair.host.context().packets();
        assertEquals(PacketLog.KEPT_DROPS, log.latestDrops().size());
        assertEquals(500, log.unseenDrops());

        pair.host.clock.advanceSeconds(2);
        pair.send();

        assertEquals(PacketLog.KEPT_DROPS, log.latestDrops().size());
        assertEquals(pair.host.clock.nowNs(), log.latestDrops().getLast().timeNs());
    }

    /** The second batch comes too soon after the first, and the third stands for it, too. */
    @Test
    void shouldSampleBatches() {
        Pair pair = new Pair();
        List<Double> weights = new ArrayList<>();
        pair.host.context().packets().setSampler((packet, weight) -> weights.add(weight));
        byte[] frame = Frames.udp("10.1.0.1", "10.2.0.1").frame();
        for (int batch = 0; batch < 3; batch++) {
            pair.host.send(frame.clone(), frame.clone());
            pair.host.clock.advanceNs(4_000_000);
        }
        assertEquals(List.of(1.0, 1.0, 2.0, 2.0), weights);
        pair.host.context().packets().setSampler(null);
        pair.send();
        assertEquals(4, weights.size());
    }

    @Test
    void shouldShowWhatIsWatchedAndTellOfWhatIsLost() {
        Pair pair = new Pair();
        PacketWatch all = new PacketWatch(PacketWatch.Scope.ALL, packet -> packet.flow().dport == 2222, 2);
        PacketWatch drops = new PacketWatch(PacketWatch.Scope.DROPS, packet -> true, 2);
        PacketLog log = pair.host.context().packets();
        pair.send();
        log.add(all);
        log.add(drops);
        pair.protect();
        State state = pair.state(pair.leaving());
        for (int i = 0; i < 5; i++) {
            pair.send();
        }

        assertEquals(1, all.poll().passages().getFirst().sequence());
        PacketRecord second = all.poll();
        assertEquals(PacketRecord.Outcome.PROTECTED, second.outcome());
        assertEquals(PacketRecord.Decision.CACHED, second.decision());
        assertEquals(state, second.passages().getFirst().state());
        assertEquals(2, second.passages().getFirst().sequence());
        assertEquals(null, all.poll());
        assertEquals(3, all.takeLost());
        assertEquals(null, drops.poll());

        log.remove(all);
        pair.send();
        assertEquals(null, all.poll());
    }
}
