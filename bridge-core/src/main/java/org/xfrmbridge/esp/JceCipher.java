package org.xfrmbridge.esp;

import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;

/** AES in CBC (RFC 3602) and CTR mode (RFC 3686) by the JDK. */
final class JceCipher implements PacketCipher {
    private static final int BLOCK_BYTES = 16;

    private final Cipher cipher;
    private final WipeableKey key;
    /** | nonce 4 | IV 8 | block counter 4, from 1 | of CTR mode, null for CBC. */
    private final byte[] counterBlock;

    private JceCipher(String transformation, byte[] key, byte[] counterBlock) {
        this.cipher = JceAead.cipher(transformation);
        this.key = new WipeableKey("AES", key);
        this.counterBlock = counterBlock;
    }

    static JceCipher aesCbc(byte[] key) {
        return new JceCipher("AES/CBC/NoPadding", key, null);
    }

    /** @param nonce wiped */
    static JceCipher aesCtr(byte[] key, byte[] nonce) {
        byte[] counterBlock = new byte[BLOCK_BYTES];
        System.arraycopy(nonce, 0, counterBlock, 0, nonce.length);
        Arrays.fill(nonce, (byte) 0);
        counterBlock[BLOCK_BYTES - 1] = 1;
        return new JceCipher("AES/CTR/NoPadding", key, counterBlock);
    }

    @Override
    public void encrypt(byte[] data, int textOffset, int textBytes) {
        run(Cipher.ENCRYPT_MODE, data, textOffset, textBytes);
    }

    @Override
    public void decrypt(byte[] data, int textOffset, int textBytes) {
        run(Cipher.DECRYPT_MODE, data, textOffset, textBytes);
    }

    @Override
    public void destroy() {
        key.destroyWith(cipher, new IvParameterSpec(new byte[BLOCK_BYTES]));
        if (counterBlock != null) {
            Arrays.fill(counterBlock, (byte) 0);
        }
    }

    private void run(int mode, byte[] data, int textOffset, int textBytes) {
        try {
            cipher.init(mode, key, initial(data, textOffset));
            cipher.doFinal(data, textOffset, textBytes, data, textOffset);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private IvParameterSpec initial(byte[] data, int textOffset) {
        if (counterBlock == null) {
            return new IvParameterSpec(data, textOffset - BLOCK_BYTES, BLOCK_BYTES);
        }
        System.arraycopy(data, textOffset - 8, counterBlock, 4, 8);
        return new IvParameterSpec(counterBlock);
    }
}
