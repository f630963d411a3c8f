package org.xfrmbridge.esp;

import java.util.Arrays;
import org.bouncycastle.crypto.InvalidCipherTextException;
import org.bouncycastle.crypto.engines.AESEngine;
import org.bouncycastle.crypto.modes.AEADBlockCipher;
import org.bouncycastle.crypto.modes.GCMBlockCipher;
import org.bouncycastle.crypto.params.AEADParameters;
import org.bouncycastle.crypto.params.KeyParameter;

/** AES-GCM with an ICV of 8 bytes, which the JDK refuses, by Bouncy Castle: some twenty times slower. */
final class BouncyGcm implements PacketAead {
    private final AEADBlockCipher cipher = GCMBlockCipher.newInstance(AESEngine.newInstance());
    /** One for all packets: each would have a copy of the key. */
    private final KeyParameter key;

    private final int icvBytes;
    private final byte[] nonce;
    private final byte[] aad;

    /** @param key wiped */
    BouncyGcm(byte[] key, int icvBytes, byte[] nonce, byte[] aad) {
        this.key = new KeyParameter(key);
        Arrays.fill(key, (byte) 0);
        this.icvBytes = icvBytes;
        this.nonce = nonce;
        this.aad = aad;
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
        Arrays.fill(key.getKey(), (byte) 0);
    }

    /** In place is safe: a byte is put out only after it was read. */
    private void run(boolean encrypt, byte[] data, int offset, int length) throws InvalidCipherTextException {
        cipher.init(encrypt, new AEADParameters(key, icvBytes * 8, nonce, aad));
        int done = cipher.processBytes(data, offset, length, data, offset);
        cipher.doFinal(data, offset + done);
    }
}
