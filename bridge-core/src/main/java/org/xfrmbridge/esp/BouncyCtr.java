package org.xfrmbridge.esp;

import java.util.Arrays;
import org.bouncycastle.crypto.BlockCipher;

/** RFC 3686 counter mode over a 16-byte block cipher that the JDK lacks: block counter from 1 behind nonce and IV. */
final class BouncyCtr implements PacketCipher {
    private static final int BLOCK_BYTES = 16;

    private final BlockCipher cipher;
    private final byte[] counterBlock = new byte[BLOCK_BYTES];
    private final byte[] keyStream = new byte[BLOCK_BYTES];
    private final int keyBytes;

    /** @param key wiped, as is the nonce */
    BouncyCtr(BlockCipher cipher, byte[] key, byte[] nonce) {
        this.cipher = cipher;
        keyBytes = key.length;
        BouncyKey.use(key, parameter -> cipher.init(true, parameter));
        System.arraycopy(nonce, 0, counterBlock, 0, nonce.length);
        Arrays.fill(nonce, (byte) 0);
    }

    @Override
    public void encrypt(byte[] data, int textOffset, int textBytes) {
        System.arraycopy(data, textOffset - 8, counterBlock, 4, 8);
        for (int done = 0; done < textBytes; done += BLOCK_BYTES) {
            EspTransform.INT.set(counterBlock, 12, done / BLOCK_BYTES + 1);
            cipher.processBlock(counterBlock, 0, keyStream, 0);
            int length = Math.min(BLOCK_BYTES, textBytes - done);
            for (int i = 0; i < length; i++) {
                data[textOffset + done + i] ^= keyStream[i];
            }
        }
    }

    @Override
    public void decrypt(byte[] data, int textOffset, int textBytes) {
        encrypt(data, textOffset, textBytes);
    }

    @Override
    public void destroy() {
        BouncyKey.use(new byte[keyBytes], zeros -> cipher.init(true, zeros));
        Arrays.fill(counterBlock, (byte) 0);
        Arrays.fill(keyStream, (byte) 0);
    }
}
