package org.xfrmbridge.esp;

/**
 * The key lengths a cipher accepts when it is set up, salt or nonce included: {@code minBytes}, and then every
 * {@code stepBytes} up to {@code maxBytes}.
 */
public record KeyLengths(int minBytes, int maxBytes, int stepBytes) {
    static final KeyLengths ANY = new KeyLengths(0, Integer.MAX_VALUE, 1);

    static KeyLengths exactly(int bytes) {
        return new KeyLengths(bytes, bytes, 1);
    }

    static KeyLengths between(int minBytes, int maxBytes) {
        return new KeyLengths(minBytes, maxBytes, 1);
    }

    /** 128, 192 or 256 bits, followed by a salt. */
    static KeyLengths aesWithSalt(int saltBytes) {
        return new KeyLengths(16 + saltBytes, 32 + saltBytes, 8);
    }

    /** @param keyBits as in {@code alg_key_len}; the kernel rounds up to whole bytes */
    public boolean accepts(int keyBits) {
        int bytes = Math.ceilDiv(keyBits, 8);
        return keyBits >= 0 && bytes >= minBytes && bytes <= maxBytes && (bytes - minBytes) % stepBytes == 0;
    }
}
