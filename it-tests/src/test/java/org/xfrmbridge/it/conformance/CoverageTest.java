package org.xfrmbridge.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.esp.AlgorithmTable;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.netlink.nl.NetlinkReader;
import org.xfrmbridge.netlink.text.MessageText;

/** What the generator sends: everything, or this test says what not. */
class CoverageTest {
    private static final int SEQUENCES = 20_000;
    private static final Set<Integer> ALGORITHMS = Set.of(
            XfrmAttribute.ALG_AUTH,
            XfrmAttribute.ALG_CRYPT,
            XfrmAttribute.ALG_COMP,
            XfrmAttribute.ALG_AEAD,
            XfrmAttribute.ALG_AUTH_TRUNC);

    private final Set<Integer> messages = new HashSet<>();
    private final Set<Integer> attributes = new HashSet<>();
    private final Set<String> algorithms = new HashSet<>();
    /** Message types with an attribute, as {@code type << 16 | attribute}. */
    private final Set<Integer> pairs = new HashSet<>();
    /** Attributes that one NEWSA had together, as {@code one << 16 | other}. */
    private final Set<Integer> together = new HashSet<>();

    private final Set<Protocol> protocols = EnumSet.noneOf(Protocol.class);

    private void generate() {
        SequenceGenerator generator = new SequenceGenerator(Profile.POLICIES, 1);
        IntStream.range(0, SEQUENCES)
                .mapToObj(generator::make)
                .flatMap(sequence -> sequence.datagrams().stream())
                .forEach(this::note);
    }

    private void note(Datagram datagram) {
        protocols.add(datagram.protocol());
        NetlinkReader reader = new NetlinkReader(ByteBuffer.wrap(datagram.bytes()));
        while (reader.next()) {
            int type = reader.header().type();
            messages.add(type);
            int fixedBytes = MessageText.FIXED_BYTES.getOrDefault(type, 0);
            Attributes found = Attributes.parse(reader.payload(), fixedBytes, XfrmAttribute.MAX);
            for (int attribute = 1; attribute <= XfrmAttribute.MAX; attribute++) {
                if (found.has(attribute) && ALGORITHMS.contains(attribute)) {
                    algorithms.add(found.getString(attribute));
                }
                if (found.has(attribute)) {
                    attributes.add(attribute);
                    pairs.add(type << 16 | attribute);
                    noteTogether(type, attribute, found);
                }
            }
        }
    }

    private void noteTogether(int type, int attribute, Attributes found) {
        if (type == XfrmMessage.NEWSA) {
            IntStream.range(1, attribute).filter(found::has).forEach(other -> together.add(other << 16 | attribute));
        }
    }

    @Test
    void shouldSendWhatChangesTheMeaningOfAnotherAndGiveTimersTime() {
        generate();

        int[][] company = {
            {XfrmAttribute.ALG_AUTH, XfrmAttribute.ALG_AUTH_TRUNC}, {XfrmAttribute.OFFLOAD_DEV, XfrmAttribute.IF_ID},
            {XfrmAttribute.REPLAY_VAL, XfrmAttribute.REPLAY_ESN_VAL}, {XfrmAttribute.SET_MARK, XfrmAttribute.IF_ID}
        };
        for (int[] two : company) {
            assertTrue(
                    together.contains(Math.min(two[0], two[1]) << 16 | Math.max(two[0], two[1])),
                    () -> Arrays.toString(two));
        }
        assertTrue(pairs.contains(XfrmMessage.NEWAE << 16 | XfrmAttribute.MTIMER_THRESH));
        assertEquals(Set.of(Protocol.NETLINK, Protocol.PAUSE), protocols);
    }

    @Test
    void shouldSendEveryMessageAndEveryAttribute() throws IllegalAccessException {
        generate();

        assertEquals(List.of(), neverSent(XfrmMessage.class, messages));
        Set<Integer> all = new TreeSet<>(
                IntStream.rangeClosed(1, XfrmAttribute.MAX).boxed().toList());
        all.removeAll(attributes);
        assertEquals(Set.of(), all);
    }

    @Test
    void shouldSendEveryAttributeWithTheMessagesThatReadIt() {
        generate();

        List<String> missing = new ArrayList<>();
        int[] states = {XfrmMessage.NEWSA, XfrmMessage.UPDSA};
        Arrays.stream(states)
                .forEach(type -> IntStream.rangeClosed(1, XfrmAttribute.MAX)
                        .filter(attribute -> !pairs.contains(type << 16 | attribute))
                        .forEach(attribute -> missing.add(type + " with " + attribute)));
        assertEquals(List.of(), missing);
    }

    @Test
    void shouldNameEveryAlgorithmInBothWays() {
        generate();

        List<String> names = AlgorithmTable.entries().stream()
                .flatMap(entry -> Stream.of(entry.name(), entry.alias()))
                .filter(name -> name != null && !algorithms.contains(name))
                .toList();
        assertEquals(List.of(), names);
    }

    /** The names of message types ({@code XFRM_MSG_*}: 0x10 and above, no groups, no flags) that are not in a set. */
    private static List<String> neverSent(Class<?> numbers, Set<Integer> sent) throws IllegalAccessException {
        List<String> missing = new ArrayList<>();
        for (Field field : numbers.getFields()) {
            boolean message = Modifier.isStatic(field.getModifiers())
                    && !field.getName().startsWith("GROUP_")
                    && !field.getName().startsWith("AE_");
            if (message && !sent.contains(field.getInt(null))) {
                missing.add(field.getName());
            }
        }
        return missing;
    }
}
