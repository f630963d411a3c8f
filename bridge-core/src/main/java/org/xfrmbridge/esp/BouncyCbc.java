package org.xfrmbridge.esp;

import org.bouncycastle.crypto.BlockCipher;

/**
 * CBC over any block cipher. In a packet each block lies behind the one it is chained to, the first behind the IV:
 * encryption walks forwards, decryption backwards, and neither needs a copy.
 */
final class BouncyCbc implements PacketCipher {
    private final BlockCipher encryptor;
    private final BlockCipher decryptor;
    private final int blockBytes;
    private final int keyBytes;

    /** @param key wiped; the engines keep their own schedule */
    BouncyCbc(BlockCipher encryptor, BlockCipher decryptor, byte[] key) {
        this.encryptor = encryptor;
        this.decryptor = decryptor;
        this.blockBytes = encryptor.getBlockSize();
        this.keyBytes = key.length;
        use(key);
    }

    private void use(byte[] key) {
        BouncyKey.use(key, parameter -> {
            encryptor.init(true, parameter);
            decryptor.init(false, parameter);
        });
    }

    @Override
    public void encrypt(byte[] data, int textOffset, int textBytes) {
        for (int at = textOffset; at < textOffset + textBytes; at += blockBytes) {
            chain(data, at);
            encryptor.processBlock(data, at, data, at);
        }
    }

    @Override
    public void decrypt(byte[] data, int textOffset, int textBytes) {
        for (int at = textOffset + textBytes - blockBytes; at >= textOffset; at -= blockBytes) {
            decryptor.processBlock(data, at, data, at);
            chain(data, at);
        }
    }

    /** With another key an engine overwrites its schedule, or drops it: more cannot be done. */
    @Override
    public void destroy() {
        use(new byte[keyBytes]);
    }

    private void chain(byte[] data, int at) {
        for (int i = at; i < at + blockBytes; i++) {
            data[i] ^= data[i - blockBytes];
        }
    }
}
