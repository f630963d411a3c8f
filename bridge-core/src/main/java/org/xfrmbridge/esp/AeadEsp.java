package org.xfrmbridge.esp;

import java.util.Arrays;

/**
 * ESP with a combined mode: RFC 4106 (GCM), 4309 (CCM), 4543 (GMAC), 7634 (ChaCha20-Poly1305).
 *
 * <pre>
 *   nonce   | salt 3 or 4 | IV 8 |                 the salt is the end of the key, the IV is in the packet
 *   AAD     | SPI 4 | sequence 4 |                 or, extended, | SPI 4 | sequence high 4 | sequence low 4 |
 * </pre>
 */
final class AeadEsp extends EspTransform {
    private final KeyedAlgorithm algorithm;
    private final int saltBytes;
    private byte[] nonce;
    private byte[] aad;
    private PacketAead aead;

    AeadEsp(EspSuite suite, int spi, SequenceWidth width, IvSource ivSource) {
        super(suite, spi, width, ivSource);
        algorithm = suite.cipher;
        saltBytes = algorithm.algorithm().lengths().saltBytes();
    }

    @Override
    void start() {
        byte[] salt = algorithm.salt();
        nonce = Arrays.copyOf(salt, saltBytes + sizes.ivBytes());
        Arrays.fill(salt, (byte) 0);
        aad = new byte[extended ? 12 : 8];
        aead = algorithm.aead(nonce, aad);
    }

    @Override
    void stop() {
        aead.destroy();
        aead = null;
        Arrays.fill(nonce, (byte) 0);
    }

    @Override
    void protect(byte[] data, int espOffset, int textBytes, long sequence) {
        ivSource.next(data, espOffset + EspLengths.HEADER_BYTES);
        fillNonceAndAad(data, espOffset, sequence);
        aead.seal(data, espOffset + sizes.payloadOffset(), textBytes);
    }

    @Override
    int unprotect(byte[] data, int espOffset, int textBytes, long sequence) {
        fillNonceAndAad(data, espOffset, sequence);
        return aead.open(data, espOffset + sizes.payloadOffset(), textBytes) ? 0 : AUTH_FAILED;
    }

    private void fillNonceAndAad(byte[] data, int espOffset, long sequence) {
        System.arraycopy(data, espOffset + EspLengths.HEADER_BYTES, nonce, saltBytes, sizes.ivBytes());
        INT.set(aad, 0, (int) INT.get(data, espOffset));
        if (extended) {
            INT.set(aad, 4, (int) (sequence >>> 32));
        }
        INT.set(aad, aad.length - 4, (int) INT.get(data, espOffset + 4));
    }
}
