package org.xfrmbridge.esp;

/** A cipher with a key, over whole blocks of a packet in place; the IV lies right before the text. One thread. */
interface PacketCipher {
    void encrypt(byte[] data, int textOffset, int textBytes);

    void decrypt(byte[] data, int textOffset, int textBytes);

    /** Wipes the key. */
    void destroy();

    /** {@code ecb(cipher_null)}, RFC 2410. */
    PacketCipher NULL = new PacketCipher() {
        @Override
        public void encrypt(byte[] data, int textOffset, int textBytes) {}

        @Override
        public void decrypt(byte[] data, int textOffset, int textBytes) {}

        @Override
        public void destroy() {}
    };
}
