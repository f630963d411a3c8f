package org.xfrmbridge.esp;

import java.util.Arrays;
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

    @Override
    public String toString() {
        return "WipeableKey[" + algorithm + "]";
    }
}
