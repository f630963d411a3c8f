package org.xfrmbridge.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.conformance.PfkeyText.Extension;
import org.xfrmbridge.netlink.nl.NetlinkReader;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbMsg;
import org.xfrmbridge.pfkey.sadb.SadbType;

/** What the generator sends to PF_KEY: everything in every shape, or this test says what not. */
class PfkeyCoverageTest {
    private static final int SEQUENCES = 10_000;

    /** What may become of an extension. */
    private enum Shape implements Predicate<Extension> {
        RIGHT {
            @Override
            public boolean test(Extension extension) {
                return extension.declaredBytes() == extension.bytes().length
                        && extension.bytes().length >= leastBytes(extension);
            }
        },
        SHORT {
            @Override
            public boolean test(Extension extension) {
                return extension.bytes().length < leastBytes(extension);
            }
        },
        LONG {
            @Override
            public boolean test(Extension extension) {
                return extension.declaredBytes() == extension.bytes().length
                        && extension.bytes().length > leastBytes(extension) + 16;
            }
        },
        BEYOND_THE_END {
            @Override
            public boolean test(Extension extension) {
                return extension.declaredBytes() > extension.bytes().length;
            }
        };

        private static int leastBytes(Extension extension) {
            return SadbExt.values()[extension.number() - 1].leastBytes();
        }
    }

    private static final Set<Integer> TYPES = new HashSet<>();
    private static final Set<Integer> NETLINK_TYPES = new HashSet<>();
    private static final Set<String> SEEN = new HashSet<>();

    @BeforeAll
    static void generate() {
        PfkeySequenceGenerator generator = new PfkeySequenceGenerator(Profile.STATES_6_12, 1);
        IntStream.range(0, SEQUENCES)
                .mapToObj(generator::make)
                .flatMap(sequence -> sequence.datagrams().stream())
                .forEach(PfkeyCoverageTest::note);
    }

    private static void note(Datagram datagram) {
        if (datagram.protocol() == Protocol.NETLINK) {
            NetlinkReader reader = new NetlinkReader(ByteBuffer.wrap(datagram.bytes()));
            while (reader.next()) {
                NETLINK_TYPES.add(reader.header().type());
            }
            return;
        }
        int type = SadbMsg.read(ByteBuffer.wrap(datagram.bytes())).type();
        TYPES.add(type);
        Set<Integer> before = new HashSet<>();
        for (Extension extension : PfkeyText.extensions(datagram.bytes())) {
            SEEN.add(type + " with " + extension.number());
            if (extension.number() >= 1 && extension.number() <= SadbExt.values().length) {
                note(extension, before);
            }
        }
    }

    private static void note(Extension extension, Set<Integer> before) {
        for (Shape shape : Shape.values()) {
            if (shape.test(extension)) {
                SEEN.add(extension.number() + " " + shape);
            }
        }
        if (before.stream().anyMatch(number -> number > extension.number())) {
            SEEN.add(extension.number() + " out of order");
        }
        if (!before.add(extension.number())) {
            SEEN.add(extension.number() + " twice");
        }
    }

    @Test
    void shouldSendEveryTypeOfMessageAndSomeThatDoNotExist() {
        Set<Integer> all =
                new TreeSet<>(IntStream.rangeClosed(0, SadbType.MAX + 2).boxed().toList());
        all.removeAll(TYPES);

        assertEquals(Set.of(), all);
    }

    @Test
    void shouldSendEveryExtensionInEveryShape() {
        List<String> missing = new ArrayList<>();
        for (SadbExt extension : SadbExt.values()) {
            List<String> wanted = new ArrayList<>(List.of(extension.number() + " twice"));
            if (extension != SadbExt.X_FILTER) {
                wanted.add(extension.number() + " out of order");
            }
            for (Shape shape : Shape.values()) {
                // No extension is shorter than one word.
                if (shape != Shape.SHORT || extension.leastBytes() > SadbMsg.WORD_BYTES) {
                    wanted.add(extension.number() + " " + shape);
                }
            }
            wanted.stream().filter(shape -> !SEEN.contains(shape)).forEach(missing::add);
        }
        assertEquals(List.of(), missing);
    }

    @Test
    void shouldSendEveryExtensionWithTheMessagesThatReadSome() {
        List<String> missing = new ArrayList<>();
        int[] types = {
            SadbType.GETSPI,
            SadbType.ADD,
            SadbType.UPDATE,
            SadbType.GET,
            SadbType.DELETE,
            SadbType.DUMP,
            SadbType.X_SPDADD,
            SadbType.X_SPDUPDATE,
            SadbType.X_SPDDELETE,
            SadbType.X_SPDGET,
            SadbType.X_SPDDELETE2,
            SadbType.X_MIGRATE
        };
        for (int type : types) {
            IntStream.rangeClosed(1, SadbExt.values().length)
                    .mapToObj(number -> type + " with " + number)
                    .filter(pair -> !SEEN.contains(pair))
                    .forEach(missing::add);
        }
        assertEquals(List.of(), missing);
    }

    @Test
    void shouldMixInEveryMessageOfNetlink() {
        Set<Integer> all = new TreeSet<>(Profile.STATES_6_12.weights().keySet());
        all.removeAll(NETLINK_TYPES);

        assertEquals(Set.of(), all);
    }
}
