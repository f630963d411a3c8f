package org.xfrmbridge.esp;

import java.util.Arrays;
import org.bouncycastle.crypto.InvalidCipherTextException;
import org.bouncycastle.crypto.engines.AESEngine;
import org.bouncycastle.crypto.modes.AEADBlockCipher;
import org.bouncycastle.crypto.modes.CCMBlockCipher;
import org.bouncycastle.crypto.modes.GCMBlockCipher;
import org.bouncycastle.crypto.params.AEADParameters;
import org.bouncycastle.crypto.params.KeyParameter;

/** AES-CCM, and AES-GCM with an ICV of 8 bytes, which the JDK refuses, by Bouncy Castle: some twenty times slower. */
final class BouncyAead implements PacketAead {
    private final AEADBlockCipher cipher;
    private final byte[] key;
    private final int icvBytes;
    private final byte[] nonce;
    private final byte[] aad;

    private BouncyAead(AEADBlockCipher cipher, byte[] key, int icvBytes, byte[] nonce, byte[] aad) {
        this.cipher = cipher;
        this.key = key;
        this.icvBytes = icvBytes;
        this.nonce = nonce;
        this.aad = aad;
    }

    static BouncyAead aesCcm(byte[] key, int icvBytes, byte[] nonce, byte[] aad) {
        return new BouncyAead(CCMBlockCipher.newInstance(AESEngine.newInstance()), key, icvBytes, nonce, aad);
    }

    static BouncyAead aesGcm(byte[] key, int icvBytes, byte[] nonce, byte[] aad) {
        return new BouncyAead(GCMBlockCipher.newInstance(AESEngine.newInstance()), key, icvBytes, nonce, aad);
    }

    @Override
    public void seal(byte[] data, int textOffset, int textBytes) {
        try {
            run(true, data, textOffset, textBytes);
        } catch (InvalidCipherTextException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public boolean open(byte[] data, int textOffset, int textBytes) {
        try {
            run(false, data, textOffset, textBytes + icvBytes);
            return true;
        } catch (InvalidCipherTextException e) {
            return false;
        }
    }

    @Override
    public void destroy() {
        Arrays.fill(key, (byte) 0);
    }

    /** In place is safe: both modes put out a byte only after they have read it. */
    private void run(boolean encrypt, byte[] data, int offset, int length) throws InvalidCipherTextException {
        cipher.init(encrypt, new AEADParameters(new KeyParameter(key), icvBytes * 8, nonce, aad));
        int done = cipher.processBytes(data, offset, length, data, offset);
        cipher.doFinal(data, offset + done);
    }
}
