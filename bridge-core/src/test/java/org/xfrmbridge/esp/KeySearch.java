package org.xfrmbridge.esp;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;

/**
 * Looks for keys where they should be no more: in heap dumps and other memory, as they are, as words in the other byte
 * order, and with the bytes that HMAC puts over them. A key is made of a number, so that who looks need not have it
 * before.
 */
public final class KeySearch {
    private static final int BUFFER_BYTES = 1 << 20;

    /** So much of a key says that it is one: no random bytes are alike. */
    private static final int LONGEST = 16;

    private record Pattern(String name, byte[] bytes) {}

    private final Map<Long, List<Pattern>> byStart = new HashMap<>();
    private final boolean[] starts = new boolean[1 << 16];

    /** The key of a number; the caller's to wipe. */
    public static byte[] key(int number, int bytes) {
        byte[] key = new byte[bytes];
        new Random(0x6b65_7900_0000L + number).nextBytes(key);
        return key;
    }

    /** @param bytes at least 8 */
    public void add(String name, byte[] bytes) {
        byte[] start = Arrays.copyOf(bytes, Math.min(bytes.length, LONGEST));
        addPattern(name, start);
        addPattern(name + " in words", swapped(start));
        addPattern(name + " of HMAC", masked(start, 0x36));
        addPattern(name + " of HMAC", masked(start, 0x5c));
    }

    private void addPattern(String name, byte[] bytes) {
        long start = 0;
        for (int i = 0; i < Long.BYTES; i++) {
            start = start << 8 | bytes[i] & 0xff;
        }
        byStart.computeIfAbsent(start, key -> new ArrayList<>()).add(new Pattern(name, bytes));
        starts[(int) (start >>> 48)] = true;
    }

    private static byte[] swapped(byte[] bytes) {
        byte[] swapped = new byte[bytes.length & -Integer.BYTES];
        for (int i = 0; i < swapped.length; i++) {
            swapped[i] = bytes[i ^ Integer.BYTES - 1];
        }
        return swapped;
    }

    private static byte[] masked(byte[] bytes, int mask) {
        byte[] masked = bytes.clone();
        for (int i = 0; i < masked.length; i++) {
            masked[i] ^= (byte) mask;
        }
        return masked;
    }

    /** Names of what is there. */
    public TreeSet<String> in(InputStream memory) throws IOException {
        TreeSet<String> found = new TreeSet<>();
        byte[] buffer = new byte[LONGEST + BUFFER_BYTES];
        int kept = 0;
        for (int read = memory.read(buffer, kept, BUFFER_BYTES);
                read > 0;
                read = memory.read(buffer, kept, BUFFER_BYTES)) {
            int length = kept + read;
            search(buffer, length, found);
            kept = Math.min(length, LONGEST - 1);
            System.arraycopy(buffer, length - kept, buffer, 0, kept);
        }
        return found;
    }

    /** The last bytes may be the start of what is seen whole with the next. */
    private void search(byte[] buffer, int length, TreeSet<String> found) {
        for (int at = 0; at + Long.BYTES <= length; at++) {
            if (starts[(buffer[at] & 0xff) << 8 | buffer[at + 1] & 0xff]) {
                long start = 0;
                for (int i = 0; i < Long.BYTES; i++) {
                    start = start << 8 | buffer[at + i] & 0xff;
                }
                for (Pattern pattern : byStart.getOrDefault(start, List.of())) {
                    int end = at + pattern.bytes.length;
                    if (end <= length && Arrays.equals(buffer, at, end, pattern.bytes, 0, pattern.bytes.length)) {
                        found.add(pattern.name);
                    }
                }
            }
        }
    }

    public TreeSet<String> in(Path file) throws IOException {
        try (InputStream memory = new BufferedInputStream(Files.newInputStream(file))) {
            return in(memory);
        }
    }

    /** Writes what this process has in its heap: all objects, reachable or not. */
    public static void dumpHeap(Path file) throws IOException {
        ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class).dumpHeap(file.toString(), false);
    }
}
