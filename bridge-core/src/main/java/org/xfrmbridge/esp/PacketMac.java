package org.xfrmbridge.esp;

import java.util.Arrays;

/** A MAC with a key. One thread. */
interface PacketMac {
    /** The whole MAC, before truncation; valid until the next call. */
    byte[] compute(byte[] data, int offset, int length);

    /** Wipes the key. */
    void destroy();

    /**
     * Whether the MAC that came is the beginning of the one expected, in constant time.
     *
     * @param at where the expected one begins
     */
    static boolean matches(byte[] received, int bytes, byte[] expected, int at) {
        int difference = 0;
        for (int i = 0; i < bytes; i++) {
            difference |= received[i] ^ expected[at + i];
        }
        return difference == 0;
    }

    /** {@code digest_null}: a MAC of no bytes, with a key that the kernel takes and nobody needs. */
    static PacketMac none(byte[] key) {
        Arrays.fill(key, (byte) 0);
        return new PacketMac() {
            @Override
            public byte[] compute(byte[] data, int offset, int length) {
                return new byte[0];
            }

            @Override
            public void destroy() {}
        };
    }
}
