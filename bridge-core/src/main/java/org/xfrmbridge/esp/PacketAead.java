package org.xfrmbridge.esp;

/**
 * An AEAD with a key, over one stretch of a packet in place. Nonce and associated data are in arrays that it shares
 * with its {@link AeadEsp}, filled before each call. One thread.
 */
interface PacketAead {
    /** Encrypts and writes the ICV behind. */
    void seal(byte[] data, int textOffset, int textBytes);

    /** Verifies the ICV behind, and decrypts; false if it does not match. */
    boolean open(byte[] data, int textOffset, int textBytes);

    /** Wipes the key. */
    void destroy();
}
