package org.xfrmbridge.esp;

import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;

/**
 * AES-CCM (RFC 3610, with RFC 4309's nonce) put together from the JDK's CBC and CTR, ten times as fast as Bouncy
 * Castle's. L is the width of the length field, 15 less the nonce.
 *
 * <pre>
 *   CBC-MAC over   | flags 1 | nonce | text length L | AAD length 2 | AAD | 0.. | text | 0.. |
 *   CTR from       | L-1 1   | nonce | 0 ...       L |     block 0 covers the MAC, the text follows from block 1
 * </pre>
 */
final class JceCcm implements PacketAead {
    private static final int BLOCK_BYTES = 16;

    private final Cipher cbc = JceAead.cipher("AES/CBC/NoPadding");
    private final Cipher ctr = JceAead.cipher("AES/CTR/NoPadding");
    private final WipeableKey key;
    private final int icvBytes;
    private final byte[] nonce;
    private final byte[] aad;
    private final byte[] counterBlock = new byte[BLOCK_BYTES];
    private final byte[] received = new byte[BLOCK_BYTES];
    private byte[] macText = new byte[2048];

    JceCcm(byte[] key, int icvBytes, byte[] nonce, byte[] aad) {
        this.key = new WipeableKey("AES", key);
        this.icvBytes = icvBytes;
        this.nonce = nonce;
        this.aad = aad;
        try {
            cbc.init(Cipher.ENCRYPT_MODE, this.key, new IvParameterSpec(new byte[BLOCK_BYTES]));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void seal(byte[] data, int textOffset, int textBytes) {
        try {
            int macBlock = mac(data, textOffset, textBytes);
            startCounter();
            ctr.update(macText, macBlock, BLOCK_BYTES, macText, macBlock);
            ctr.doFinal(data, textOffset, textBytes, data, textOffset);
            System.arraycopy(macText, macBlock, data, textOffset + textBytes, icvBytes);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public boolean open(byte[] data, int textOffset, int textBytes) {
        try {
            System.arraycopy(data, textOffset + textBytes, received, 0, icvBytes);
            startCounter();
            ctr.update(received, 0, BLOCK_BYTES, received, 0);
            ctr.doFinal(data, textOffset, textBytes, data, textOffset);
            int macBlock = mac(data, textOffset, textBytes);
            return PacketMac.matches(received, icvBytes, macText, macBlock);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void destroy() {
        IvParameterSpec zeros = new IvParameterSpec(new byte[BLOCK_BYTES]);
        key.destroyWith(cbc, zeros);
        key.destroyWith(ctr, zeros);
        Arrays.fill(macText, (byte) 0);
    }

    /**
     * Leaves the MAC in {@link #macText} at the place returned, and the cipher at its zero IV, as every doFinal does.
     */
    private int mac(byte[] data, int textOffset, int textBytes) throws GeneralSecurityException {
        int textAt = BLOCK_BYTES + wholeBlocks(Short.BYTES + aad.length);
        int end = textAt + wholeBlocks(textBytes);
        if (macText.length < end) {
            macText = new byte[end * 2];
        }
        int lengthBytes = BLOCK_BYTES - 1 - nonce.length;
        macText[0] = (byte) (0x40 | (icvBytes - 2) / 2 << 3 | lengthBytes - 1);
        System.arraycopy(nonce, 0, macText, 1, nonce.length);
        for (int i = 0; i < lengthBytes; i++) {
            macText[BLOCK_BYTES - 1 - i] = (byte) (i < Integer.BYTES ? textBytes >>> 8 * i : 0);
        }
        macText[BLOCK_BYTES] = 0;
        macText[BLOCK_BYTES + 1] = (byte) aad.length;
        System.arraycopy(aad, 0, macText, BLOCK_BYTES + 2, aad.length);
        Arrays.fill(macText, BLOCK_BYTES + 2 + aad.length, textAt, (byte) 0);
        System.arraycopy(data, textOffset, macText, textAt, textBytes);
        Arrays.fill(macText, textAt + textBytes, end, (byte) 0);
        cbc.doFinal(macText, 0, end, macText, 0);
        return end - BLOCK_BYTES;
    }

    private void startCounter() throws GeneralSecurityException {
        counterBlock[0] = (byte) (BLOCK_BYTES - 2 - nonce.length);
        System.arraycopy(nonce, 0, counterBlock, 1, nonce.length);
        ctr.init(Cipher.ENCRYPT_MODE, key, new IvParameterSpec(counterBlock));
    }

    private static int wholeBlocks(int bytes) {
        return (bytes + BLOCK_BYTES - 1) & -BLOCK_BYTES;
    }
}
