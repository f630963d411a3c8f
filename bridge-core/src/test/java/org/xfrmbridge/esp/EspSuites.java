package org.xfrmbridge.esp;

import static org.xfrmbridge.esp.AlgorithmKind.AUTH;
import static org.xfrmbridge.esp.AlgorithmKind.CIPHER;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Suites for tests: by name with given keys, and every pair that the table allows. */
final class EspSuites {
    private EspSuites() {}

    /** A suite and how to call it in a test report. */
    record Named(String name, EspSuite suite) {
        @Override
        public String toString() {
            return name;
        }
    }

    static EspSuite aead(String name, int icvBits, byte[] key) {
        return EspSuite.aead(keyed(AlgorithmTable.aead(name, icvBits), key));
    }

    static EspSuite pair(String cipher, byte[] cipherKey, String auth, byte[] authKey, int icvBits) {
        return EspSuite.encryptThenMac(
                keyed(AlgorithmTable.find(CIPHER, cipher), cipherKey),
                keyed(AlgorithmTable.find(AUTH, auth), authKey),
                icvBits);
    }

    static KeyedAlgorithm keyed(Optional<AlgorithmEntry> algorithm, byte[] key) {
        return new KeyedAlgorithm(algorithm.orElseThrow(), KeyMaterial.copyOf(key));
    }

    /** Every AEAD, and every cipher with every MAC, at the shortest and the longest key. */
    static List<Named> all() {
        List<Named> suites = new ArrayList<>();
        Random random = new Random(4303);
        for (AlgorithmEntry entry : AlgorithmTable.entries()) {
            if (entry.kind() == AlgorithmKind.AEAD) {
                for (int bytes : extremes(entry)) {
                    suites.add(new Named(
                            name(entry, bytes),
                            aead(entry.name(), entry.lengths().icvBits(), bytes(random, bytes))));
                }
            } else if (entry.kind() == CIPHER) {
                for (int bytes : extremes(entry)) {
                    addPairs(suites, entry, bytes(random, bytes), random);
                }
            }
        }
        return suites;
    }

    private static void addPairs(List<Named> suites, AlgorithmEntry cipher, byte[] key, Random random) {
        for (AlgorithmEntry auth : AlgorithmTable.entries()) {
            if (auth.kind() == AUTH) {
                byte[] authKey = bytes(
                        random,
                        auth.name().contains("aes") ? 16 : auth.lengths().icvFullBits() / 8);
                EspSuite suite = pair(
                        cipher.name(), key, auth.name(), authKey, auth.lengths().icvBits());
                suites.add(new Named(name(cipher, key.length) + " " + auth.name(), suite));
            }
        }
    }

    private static String name(AlgorithmEntry entry, int keyBytes) {
        return entry.name() + " " + keyBytes * 8 + " " + entry.lengths().icvBits();
    }

    private static int[] extremes(AlgorithmEntry entry) {
        return new int[] {entry.keys().minBytes(), entry.keys().maxBytes()};
    }

    static byte[] bytes(Random random, int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }
}
