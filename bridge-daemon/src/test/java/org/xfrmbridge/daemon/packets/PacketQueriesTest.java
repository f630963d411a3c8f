package org.xfrmbridge.daemon.packets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xfrmbridge.datapath.FlowQuestion;
import org.xfrmbridge.datapath.PathContext;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.explain.Explainer;
import org.xfrmbridge.explain.PacketReport;
import org.xfrmbridge.io.MemoryPort;
import org.xfrmbridge.io.StaticNetwork;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.stack.XfrmStack;
import org.xfrmbridge.time.ManualClock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Template;

/** What somebody is answered who asks of packets, in JSON and as text. */
class PacketQueriesTest {
    private static final String KEY = "000102030405060708090a0b0c0d0e0f10111213";

    private final ManualClock clock = new ManualClock();
    private final Databases databases = new Databases();
    private final MemoryPort[] hostSide = MemoryPort.wire();
    private final XfrmStack stack = new XfrmStack(
            XfrmEngine.builder(databases, clock),
            PathContext.builder(databases, new StaticNetwork().addLocal("10.1.0.1"), clock),
            hostSide[1],
            MemoryPort.wire()[0]);
    private final FlowQuestion question = stack.question();
    private final PacketQueries queries = new PacketQueries(
            stack.packets(),
            question,
            new Explainer(databases, stack.engine().removedStates(), question, clock),
            clock);

    private void addPolicy() throws XfrmException {
        Template template = Template.builder()
                .id(new StateId(Address.parse("192.0.2.2"), 0, IpProtocol.ESP))
                .family(AddressFamily.INET)
                .saddr(Address.parse("192.0.2.1"))
                .reqid(5)
                .mode(Mode.TUNNEL)
                .build();
        PolicySpec spec = PolicySpec.builder()
                .selector(Selector.between("10.1.0.0/16", "10.2.0.0/16").build())
                .priority(100)
                .templates(List.of(template))
                .build();
        stack.engine().addPolicy(spec, true, Origin.KERNEL);
    }

    private State addState() throws XfrmException {
        StateSpec spec = StateSpec.builder()
                .id(new StateId(Address.parse("192.0.2.2"), 0xc1, IpProtocol.ESP))
                .saddr(Address.parse("192.0.2.1"))
                .family(AddressFamily.INET)
                .mode(Mode.TUNNEL)
                .reqid(5)
                .aead(new Algorithm(
                        "rfc4106(gcm(aes))", 160, 128, HexFormat.of().parseHex(KEY)))
                .build();
        return stack.engine().addState(spec, Origin.KERNEL);
    }

    private PacketReport why(String words) throws IOException {
        return PacketAnswers.why(queries.why("why " + words));
    }

    /** A UDP packet of no bytes. */
    private void send() {
        byte[] frame = HexFormat.of()
                .parseHex("02000000000102000000000208004500001c00004000401100000a0100010a0200010457" + "08ae00080000");
        hostSide[0].send(frame);
        stack.outbound().getFirst().doWork();
    }

    @Test
    void shouldSayWhatWouldBecomeOfAPacket() throws Exception {
        PacketReport clear = why("10.1.0.1 10.2.0.1 proto udp dport 53");
        assertEquals("passed", clear.verdict());
        assertTrue(clear.sentence().contains("no out policy is for it"), clear.sentence());
        addPolicy();
        assertEquals("XfrmOutNoStates", why("10.1.0.1 10.2.0.1").reason());
        addState();
        PacketReport sealed = why("10.1.0.1 10.2.0.1");
        assertEquals("protected", sealed.verdict());
        assertEquals(
                "SA 0x000000c1 (esp, 192.0.2.1 -> 192.0.2.2, reqid 5, tunnel)",
                sealed.states().getFirst().text());
        assertNull(sealed.reason());
        assertEquals(1500, sealed.mtuBytes());
    }

    @Test
    void shouldGroupDropsAndTellOfTheStateThatServed() throws Exception {
        addPolicy();
        State state = addState();
        stack.engine().deleteState(state.spec().key(), Origin.KERNEL);
        clock.advanceSeconds(2);
        for (int i = 0; i < 3; i++) {
            send();
        }

        String json = queries.drops();

        DropsReport drops = PacketAnswers.drops(json);
        assertEquals(3, drops.drops());
        assertEquals(3, drops.kinds().getFirst().count());
        PacketReport latest = drops.kinds().getFirst().latest();
        assertEquals("out-no-state", latest.cause());
        assertTrue(
                latest.sentence().endsWith("SA 0x000000c1, which served, was deleted 2.0 s ago."), latest.sentence());
        assertFalse(json.contains(KEY));
        String text = new PacketText(ZoneOffset.UTC).add(drops).toString();
        assertTrue(text.contains(" out dropped XfrmOutNoStates, 3 times since "), text);
        assertTrue(text.contains("\n  look at  the IKE daemon was asked for it"), text);
    }

    @Test
    void shouldSayThatNothingWasDropped() throws IOException {
        String text = new PacketText(ZoneOffset.UTC)
                .add(PacketAnswers.drops(queries.drops()))
                .toString();
        assertEquals("nothing was dropped\n", text);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "10.1.0.1 | name the packet's source and destination: 10.1.0.1 10.2.0.1",
                "10.1.0.1 ten | \"ten\" is no address: write 10.1.0.1 or 2001:db8::1",
                "10.1.0.1 2001:db8::1 | 10.1.0.1 and 2001:db8::1 are not of one family",
                "10.1.0.1 10.2.0.1 port 5 | \"port\" is none of proto, sport, dport, mark, dev and dir",
                "10.1.0.1 10.2.0.1 dport 53 | say whose ports these are: proto tcp, or udp",
                "10.1.0.1 10.2.0.1 dev nothing | there is no device nothing here",
                "10.1.0.1 10.2.0.1 dport | say what after \"dport\"",
                "10.1.0.1 10.2.0.1 dport 65536 | dport is a number from 0 to 65535, not \"65536\"",
                "10.1.0.1 10.2.0.1 dir up | dir is in, out or fwd, not \"up\"",
                "10.1.0.1 10.2.0.1 proto many | proto is a number from 0 to 255, not \"many\"",
            })
    void shouldSayInOneSentenceWhatIsAskedWrongly(String words, String sentence) {
        IllegalArgumentException refusal =
                assertThrows(IllegalArgumentException.class, () -> PacketAnswers.questionOf(List.of(words.split(" "))));
        assertEquals(sentence, refusal.getMessage());
    }

    private TraceBatch next(int id) throws IOException {
        return PacketAnswers.batch(queries.trace("trace next " + id));
    }

    private int open(boolean drops, String filter) throws IOException {
        return PacketAnswers.opened(queries.trace(PacketAnswers.traceOf(drops, List.of(filter))));
    }

    @Test
    void shouldTraceWhatIsAskedForUntilItIsEnded() throws Exception {
        addPolicy();
        int all = open(false, "src 10.1.0.0/16 and udp");
        int drops = open(true, "");
        int other = open(false, "tcp");
        send();
        addState();
        clock.advanceSeconds(1);
        send();

        TraceBatch seen = next(all);

        assertEquals(
                List.of("dropped", "protected"),
                seen.packets().stream().map(PacketReport::verdict).toList());
        assertEquals("1", seen.packets().getLast().states().getFirst().sequence());
        assertEquals(0, seen.lost());
        assertEquals(1, next(drops).packets().size());
        assertEquals(0, next(other).packets().size());
        assertFalse(PacketAnswers.toJsonLine(seen.packets().getLast()).contains(KEY));

        queries.trace("trace close " + all);
        assertThrows(IOException.class, () -> next(all));
        clock.advanceSeconds(11);
        queries.upkeep();
        assertThrows(IOException.class, () -> next(drops));
    }

    @Test
    void shouldLoseWhatNobodyReadsAndSayHowMuch() throws Exception {
        int id = open(false, "");
        for (int i = 0; i < Traces.MOST_WAITING + 10; i++) {
            send();
        }
        TraceBatch batch = next(id);
        assertEquals(Traces.MOST_AT_ONCE, batch.packets().size());
        assertEquals(10, batch.lost());
        assertEquals(0, next(id).lost());
    }

    @Test
    void shouldRefuseMoreTracesThanItCanServe() throws Exception {
        for (int i = 0; i < 8; i++) {
            open(true, "");
        }
        assertThrows(IOException.class, () -> open(true, ""));
        clock.advanceSeconds(11);
        open(true, "");
    }

    private CaptureBatch frames(int id, String keys) throws IOException {
        String json = queries.trace("trace frames " + id + keys);
        assertEquals(!keys.isEmpty(), json.contains(KEY));
        return PacketAnswers.frames(json);
    }

    @Test
    void shouldCaptureBothSidesOfAPacketAndTheKeysOnlyIfAsked() throws Exception {
        addPolicy();
        addState();
        int id = PacketAnswers.opened(queries.trace(PacketAnswers.captureOf(List.of("udp"))));
        send();
        CaptureBatch.Captured packet = frames(id, "").packets().getFirst();
        byte[] inner = Base64.getDecoder().decode(packet.inner());
        byte[] outer = Base64.getDecoder().decode(packet.outer());
        assertEquals("4500001c", HexFormat.of().formatHex(inner, 14, 18));
        assertEquals("4500", HexFormat.of().formatHex(outer, 14, 16));
        assertEquals("000000c100000001", HexFormat.of().formatHex(outer, 34, 42));
        assertTrue(packet.comment().contains("leaves through SA 0x000000c1"), packet.comment());

        send();
        assertEquals(
                List.of("'IPv4','192.0.2.1','192.0.2.2','0x000000c1',".replace('\'', '"')
                        + "'AES-GCM with 16 octet ICV [RFC4106]','0x%s','NULL',''"
                                .formatted(KEY)
                                .replace('\'', '"')),
                frames(id, " keys").keys());
        send();
        assertEquals(
                List.of(),
                PacketAnswers.frames(queries.trace("trace frames " + id + " keys"))
                        .keys());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "src 10.1.0.1 | true",
                "dst 10.1.0.1 | false",
                "src net 10.1.0.0/16 dst host 10.2.0.1 | true",
                "host 192.0.2.2 | true",
                "src 192.0.2.2 | false",
                "ip6 | false",
                "udp and port 2222 | true",
                "sport 2222 | false",
                "src port 1111 && proto 17 | true",
                "proto esp | true",
                "spi 0xc1 | true",
                "spi 0xc2 or reqid 5 | true",
                "not (spi 0xc2 or reqid 5) | false",
                "policy 1 or drop | true",
                "policy 9 | false",
                "mark 0 and out | true",
                "dir in | false",
                "XfrmOutNoStates | false",
                "not drop | true",
            })
    void shouldFilterInTheWordsOfTcpdumpAndIpXfrm(String filter, boolean seen) throws Exception {
        addPolicy();
        addState();
        int id = open(false, filter);
        send();
        assertEquals(seen ? 1 : 0, next(id).packets().size());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "src | an address is missing at the end",
                "src ten | \"ten\" is no address: write 10.1.0.1, 10.1.0.0/16 or 2001:db8::/32",
                "spi | say what after \"spi\"",
                "( tcp | a parenthesis is not closed",
                "tcp ) | \")\" is one too many",
                "port 70000 | port is a number from 0 to 65535, not \"70000\"",
                "tcp and | a word is missing at the end",
            })
    void shouldSayInOneSentenceWhatIsWrongWithAFilter(String filter, String sentence) {
        IllegalArgumentException refusal = assertThrows(
                IllegalArgumentException.class, () -> PacketAnswers.traceOf(false, List.of(filter.split(" "))));
        assertEquals(sentence, refusal.getMessage());
    }

    @Test
    void shouldReadAllWordsOfAPacket() {
        FlowWords words = FlowWords.parse(List.of(
                "2001:db8::1 2001:db8::2 proto tcp sport 1 dport 0x35 mark 0xffffffff dev 3 dir fwd".split(" ")));
        assertEquals("FWD", words.direction().name());
        assertEquals(53, words.flow().dport);
        assertEquals(-1, words.flow().mark);
        assertEquals(3, words.flow().ifindex);
    }
}
