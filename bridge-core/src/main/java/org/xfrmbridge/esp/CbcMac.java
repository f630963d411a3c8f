package org.xfrmbridge.esp;

import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;

/**
 * AES-XCBC-MAC (RFC 3566) and AES-CMAC (RFC 4493): CBC with a zero IV of which the last block counts, after one key was
 * mixed into the last block if the text fills it, another one and a 1 bit if not. They differ only in how the keys come
 * about.
 */
final class CbcMac implements PacketMac {
    private static final int BLOCK_BYTES = 16;
    private static final IvParameterSpec ZERO_IV = new IvParameterSpec(new byte[BLOCK_BYTES]);

    private final Cipher cipher;
    private final WipeableKey key;
    private final byte[] wholeMask;
    private final byte[] partMask;
    private final byte[] result = new byte[BLOCK_BYTES];
    private byte[] text = new byte[2048];

    private CbcMac(byte[] key, byte[] wholeMask, byte[] partMask) {
        this.key = new WipeableKey("AES", key);
        this.wholeMask = wholeMask;
        this.partMask = partMask;
        this.cipher = zeroIv(this.key);
    }

    /** @param key taken over */
    static CbcMac xcbc(byte[] key) {
        byte[][] keys = new byte[3][];
        for (int i = 0; i < 3; i++) {
            keys[i] = block(key, (byte) (i + 1));
        }
        Arrays.fill(key, (byte) 0);
        return new CbcMac(keys[0], keys[1], keys[2]);
    }

    /** @param key taken over */
    static CbcMac cmac(byte[] key) {
        byte[] once = doubled(block(key, (byte) 0));
        return new CbcMac(key, once, doubled(once));
    }

    @Override
    public byte[] compute(byte[] data, int offset, int length) {
        int padded = Math.max(BLOCK_BYTES, (length + BLOCK_BYTES - 1) & -BLOCK_BYTES);
        if (text.length < padded) {
            text = new byte[padded * 2];
        }
        System.arraycopy(data, offset, text, 0, length);
        if (length < padded) {
            text[length] = (byte) 0x80;
            Arrays.fill(text, length + 1, padded, (byte) 0);
        }
        mix(length < padded ? partMask : wholeMask, padded - BLOCK_BYTES);
        encrypt(cipher, text, padded);
        System.arraycopy(text, padded - BLOCK_BYTES, result, 0, BLOCK_BYTES);
        return result;
    }

    @Override
    public void destroy() {
        key.destroyWith(cipher, ZERO_IV);
        Arrays.fill(text, (byte) 0);
        Arrays.fill(wholeMask, (byte) 0);
        Arrays.fill(partMask, (byte) 0);
    }

    private void mix(byte[] mask, int at) {
        for (int i = 0; i < BLOCK_BYTES; i++) {
            text[at + i] ^= mask[i];
        }
    }

    /** The encryption of a block filled with this byte. */
    private static byte[] block(byte[] key, byte fill) {
        byte[] block = new byte[BLOCK_BYTES];
        Arrays.fill(block, fill);
        WipeableKey once = new WipeableKey("AES", key.clone());
        Cipher cipher = zeroIv(once);
        encrypt(cipher, block, BLOCK_BYTES);
        once.destroyWith(cipher, ZERO_IV);
        return block;
    }

    /** Multiplication by x in GF(2^128), most significant bit first (RFC 4493 2.3). */
    private static byte[] doubled(byte[] block) {
        byte[] result = new byte[BLOCK_BYTES];
        for (int i = 0; i < BLOCK_BYTES; i++) {
            int carry = i + 1 < BLOCK_BYTES ? (block[i + 1] & 0x80) >>> 7 : 0;
            result[i] = (byte) (block[i] << 1 | carry);
        }
        result[BLOCK_BYTES - 1] ^= (byte) (block[0] < 0 ? 0x87 : 0);
        return result;
    }

    private static Cipher zeroIv(WipeableKey key) {
        try {
            Cipher cipher = JceAead.cipher("AES/CBC/NoPadding");
            cipher.init(Cipher.ENCRYPT_MODE, key, ZERO_IV);
            return cipher;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Leaves the cipher at its zero IV, as every doFinal does. */
    private static void encrypt(Cipher cipher, byte[] text, int length) {
        try {
            cipher.doFinal(text, 0, length, text, 0);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
