package org.xfrmbridge.esp;

import java.security.InvalidAlgorithmParameterException;
import java.security.InvalidKeyException;
import java.security.spec.AlgorithmParameterSpec;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.SecretKey;

/** A JCE key that can really be destroyed, which {@code SecretKeySpec} cannot. */
final class WipeableKey implements SecretKey {
    private static final long serialVersionUID = 1;

    private final String algorithm;
    private final transient byte[] bytes;

    /** @param bytes taken over */
    WipeableKey(String algorithm, byte[] bytes) {
        this.algorithm = algorithm;
        this.bytes = bytes;
    }

    @Override
    public String getAlgorithm() {
        return algorithm;
    }

    @Override
    public String getFormat() {
        return "RAW";
    }

    @Override
    public byte[] getEncoded() {
        return bytes.clone();
    }

    @Override
    public void destroy() {
        Arrays.fill(bytes, (byte) 0);
    }

    /**
     * {@link #destroy}s it, and what a cipher of the JDK has made of it: given another key, it clears the schedule of
     * the one before.
     */
    void destroyWith(Cipher cipher, AlgorithmParameterSpec parameters) {
        destroy();
        try {
            cipher.init(Cipher.ENCRYPT_MODE, this, parameters);
        } catch (InvalidAlgorithmParameterException e) {
            // It has this key and this nonce already, and so nothing to clear.
            return;
        } catch (InvalidKeyException e) {
            throw new IllegalStateException(e);
        }
    }

    void destroyWith(Mac mac) {
        destroy();
        try {
            mac.init(this);
        } catch (InvalidKeyException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public String toString() {
        return "WipeableKey[" + algorithm + "]";
    }
}
