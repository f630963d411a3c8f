package org.xfrmbridge.esp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Transforms of all algorithms that have carried packets: while they are used their keys are found in the heap, once wiped they are not. */
class KeyWipeTest {
    private static final List<Integer> KEY_BITS = List.of(128, 160, 152, 288, 192, 64);
    private static final int SPI = 0x1234;
    private static final int COLLECTIONS = 8;

    /** All that lives is looked at, so they must. */
    private static final List<EspTransform> TRANSFORMS = new ArrayList<>();

    private final List<String> names = new ArrayList<>();
    private final List<KeyMaterial> keys = new ArrayList<>();

    @TempDir
    private Path directory;

    private KeyMaterial keyFor(AlgorithmEntry entry) {
        int bits = KEY_BITS.stream().filter(each -> entry.keys().accepts(each)).findFirst().orElseThrow();
        names.add(entry.name() + " " + entry.shape().icvBits());
        KeyMaterial key = KeyMaterial.of(KeySearch.key(keys.size(), bits / 8));
        keys.add(key);
        return key;
    }

    private void carry(EspSuite suite) {
        EspTransform out = suite.transform(SPI, SequenceWidth.SHORT);
        EspTransform in = suite.transform(SPI, SequenceWidth.SHORT);
        for (int sequence = 1; sequence <= 3; sequence++) {
            byte[] packet = new byte[500];
            int length = out.seal(packet, 0, 100, 4, sequence);
            assertTrue(length > 100);
            assertEquals(100, in.open(packet, 0, length, sequence));
        }
        TRANSFORMS.add(out);
        TRANSFORMS.add(in);
    }

    private void carryAll() {
        AlgorithmEntry none = AlgorithmTable.find(AlgorithmKind.CIPHER, "ecb(cipher_null)").orElseThrow();
        for (AlgorithmEntry entry : AlgorithmTable.entries()) {
            boolean keyed = entry.available() && !entry.equals(none) && !entry.name().equals("digest_null");
            if (keyed && entry.kind() == AlgorithmKind.AEAD) {
                carry(EspSuite.aead(entry, keyFor(entry)));
            } else if (keyed && entry.kind() == AlgorithmKind.CIPHER) {
                carry(EspSuite.encryptOnly(entry, keyFor(entry)));
            } else if (keyed && entry.kind() == AlgorithmKind.AUTH) {
                carry(EspSuite.encryptThenMac(none, KeyMaterial.NONE, entry, keyFor(entry), 0));
            }
        }
    }

    private TreeSet<String> found() throws Exception {
        Path dump = directory.resolve("heap.hprof");
        Files.deleteIfExists(dump);
        KeySearch.dumpHeap(dump);
        KeySearch search = new KeySearch();
        IntStream.range(0, keys.size()).forEach(i -> search.add(names.get(i), KeySearch.key(i, keys.get(i).lengthBytes())));
        return search.in(dump);
    }

    @Test
    void shouldLeaveNoKeyInWhatLivesOnceTransformsAreWiped() throws Exception {
        carryAll();
        TreeSet<String> before = found();
        names.forEach(name -> assertTrue(before.contains(name), name + " is not found at all"));

        keys.forEach(KeyMaterial::wipe);
        TRANSFORMS.forEach(EspTransform::wipe);
        TreeSet<String> after = found();
        // Only some collections close all gaps between what lives; a dump shows what stands in these.
        for (int i = 0; i < COLLECTIONS && !after.isEmpty(); i++) {
            after = found();
        }
        assertEquals(new TreeSet<>(), after);
        TRANSFORMS.clear();
    }
}
