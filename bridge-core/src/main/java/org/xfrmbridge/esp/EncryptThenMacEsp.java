package org.xfrmbridge.esp;

/**
 * ESP with a cipher and a separate MAC, either of which may be none. The MAC covers SPI to next header, all as sent,
 * and with extended sequence numbers their high half as if it followed (RFC 4303 2.2.1, 2.8).
 */
final class EncryptThenMacEsp extends EspTransform {
    private final KeyedAlgorithm encryption;
    private final KeyedAlgorithm authentication;
    private final byte[] received;
    private PacketCipher cipher;
    private PacketMac mac;

    EncryptThenMacEsp(EspSuite suite, int spi, SequenceWidth width, IvSource ivSource) {
        super(suite, spi, width, ivSource);
        encryption = suite.cipher;
        authentication = suite.auth;
        received = new byte[sizes.icvBytes()];
    }

    @Override
    void start() {
        cipher = encryption.cipher();
        mac = authentication.mac();
    }

    @Override
    void stop() {
        cipher.destroy();
        cipher = null;
        mac.destroy();
        mac = null;
    }

    @Override
    void protect(byte[] data, int espOffset, int textBytes, long sequence) {
        int textOffset = espOffset + sizes.payloadOffset();
        ivSource.next(data, espOffset + EspLengths.HEADER_BYTES);
        cipher.encrypt(data, textOffset, textBytes);
        if (received.length > 0) {
            int icvOffset = textOffset + textBytes;
            byte[] icv = authenticate(data, espOffset, icvOffset, sequence);
            System.arraycopy(icv, 0, data, icvOffset, received.length);
        }
    }

    @Override
    int unprotect(byte[] data, int espOffset, int textBytes, long sequence) {
        int textOffset = espOffset + sizes.payloadOffset();
        if (received.length > 0 && !verify(data, espOffset, textOffset + textBytes, sequence)) {
            return AUTH_FAILED;
        }
        if (textBytes % sizes.blockBytes() != 0) {
            return MALFORMED;
        }
        cipher.decrypt(data, textOffset, textBytes);
        return 0;
    }

    private boolean verify(byte[] data, int espOffset, int icvOffset, long sequence) {
        System.arraycopy(data, icvOffset, received, 0, received.length);
        byte[] expected = authenticate(data, espOffset, icvOffset, sequence);
        return PacketMac.matches(received, received.length, expected, 0);
    }

    /**
     * Puts the high half of the sequence number where the ICV goes, for the MAC to find: an extended SA's ICV has at
     * least 4 bytes.
     */
    private byte[] authenticate(byte[] data, int espOffset, int icvOffset, long sequence) {
        int end = icvOffset;
        if (extended) {
            INT.set(data, icvOffset, (int) (sequence >>> 32));
            end += Integer.BYTES;
        }
        return mac.compute(data, espOffset, end - espOffset);
    }
}
