package org.xfrmbridge.esp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Transforms of all algorithms that have carried packets: while they are used their keys are found in the heap, once
 * wiped in no object of it.
 */
class KeyWipeTest {
    private static final List<Integer> KEY_BITS = List.of(128, 160, 152, 288, 192, 64);
    private static final int SPI = 0x1234;
    private static final String IN_WORDS = " in words";
    private static final String OF_HMAC = " of HMAC";

    /** Engines of Bouncy Castle drop these arrays for new ones, which nobody can overwrite then. */
    private static final List<String> OUT_OF_REACH = List.of(
            "cbc(aria) 0",
            "rfc3686(ctr(aria)) 0",
            "cbc(serpent) 0 in words",
            "cbc(sm4) 0",
            "hmac(sm3) 256" + OF_HMAC,
            "rfc4106(gcm(aes)) 64 in words");

    private static final List<EspTransform> TRANSFORMS = new ArrayList<>();

    private final List<String> names = new ArrayList<>();
    private final List<KeyMaterial> keys = new ArrayList<>();

    @TempDir
    private Path directory;

    private KeyedAlgorithm keyed(AlgorithmEntry entry) {
        int bits = KEY_BITS.stream()
                .filter(each -> entry.keys().accepts(each))
                .findFirst()
                .orElseThrow();
        names.add(entry.name() + " " + entry.lengths().icvBits());
        KeyMaterial key = KeyMaterial.of(KeySearch.key(keys.size(), bits / 8));
        keys.add(key);
        return new KeyedAlgorithm(entry, key);
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
        AlgorithmEntry none =
                AlgorithmTable.find(AlgorithmKind.CIPHER, "ecb(cipher_null)").orElseThrow();
        for (AlgorithmEntry entry : AlgorithmTable.entries()) {
            boolean keyed =
                    entry.available() && !entry.equals(none) && !entry.name().equals("digest_null");
            if (keyed && entry.kind() == AlgorithmKind.AEAD) {
                carry(EspSuite.aead(keyed(entry)));
            } else if (keyed && entry.kind() == AlgorithmKind.CIPHER) {
                carry(EspSuite.encryptOnly(keyed(entry)));
            } else if (keyed && entry.kind() == AlgorithmKind.AUTH) {
                carry(EspSuite.encryptThenMac(new KeyedAlgorithm(none, KeyMaterial.NONE), keyed(entry), 0));
            }
        }
    }

    private Path dump(String name) throws Exception {
        Path file = directory.resolve(name + ".hprof");
        KeySearch.dumpHeap(file);
        return file;
    }

    /** What is looked for is in the heap from here on. */
    private TreeSet<String> foundIn(Path dump, int from, int to) throws Exception {
        KeySearch search = new KeySearch();
        IntStream.range(from, to)
                .forEach(i ->
                        search.add(names.get(i), KeySearch.key(i, keys.get(i).lengthBytes())));
        return search.in(dump);
    }

    /**
     * A digest of the JDK keeps the block it was at in an array that its compiled form does not use: what is there when
     * it is compiled stays, and nobody can overwrite it. That happens to some, never to all.
     */
    private static long blocks(TreeSet<String> found) {
        return found.stream().filter(name -> name.endsWith(OF_HMAC)).count();
    }

    @Test
    void shouldLeaveNoKeyInAnyObjectOnceTransformsAreWiped() throws Exception {
        carryAll();
        int count = keys.size();
        keys.forEach(KeyMaterial::wipe);
        TRANSFORMS.forEach(EspTransform::wipe);
        Path wiped = dump("wiped");
        carryAll();
        Path used = dump("used");

        TreeSet<String> seen = foundIn(used, count, keys.size());
        names.forEach(name ->
                assertTrue(seen.contains(name) || seen.contains(name + IN_WORDS), name + " is not found at all"));
        TreeSet<String> left = foundIn(wiped, 0, count);
        OUT_OF_REACH.forEach(left::remove);
        assertTrue(blocks(left) < blocks(seen), "the pads of all HMACs are left");
        left.removeIf(name -> name.endsWith(OF_HMAC));
        assertEquals(new TreeSet<>(), left);
        TRANSFORMS.clear();
    }
}
