package org.xfrmbridge.esp;

import java.security.GeneralSecurityException;
import java.security.spec.AlgorithmParameterSpec;
import java.util.function.Supplier;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.IvParameterSpec;

/** AES-GCM (ICV of 12 or 16 bytes) and ChaCha20-Poly1305 by the JDK, whose code for them is the fastest a JVM has. */
final class JceAead implements PacketAead {
    static final AlgorithmParameterSpec LAST_OF_GCM = new GCMParameterSpec(128, new byte[13]);
    private static final AlgorithmParameterSpec LAST_OF_CHACHA20 = new IvParameterSpec(new byte[12]);

    private final Cipher cipher;
    private final WipeableKey key;
    private final byte[] aad;
    private final int icvBytes;
    private final Supplier<AlgorithmParameterSpec> parameters;
    private final AlgorithmParameterSpec lastParameters;

    /** @param lastParameters of a nonce that no packet has */
    private JceAead(
            String transformation,
            WipeableKey key,
            byte[] aad,
            int icvBytes,
            Supplier<AlgorithmParameterSpec> parameters,
            AlgorithmParameterSpec lastParameters) {
        this.cipher = cipher(transformation);
        this.key = key;
        this.aad = aad;
        this.icvBytes = icvBytes;
        this.parameters = parameters;
        this.lastParameters = lastParameters;
    }

    static JceAead aesGcm(byte[] key, int icvBytes, byte[] nonce, byte[] aad) {
        int icvBits = icvBytes * 8;
        Supplier<AlgorithmParameterSpec> parameters = () -> new GCMParameterSpec(icvBits, nonce);
        return new JceAead("AES/GCM/NoPadding", new WipeableKey("AES", key), aad, icvBytes, parameters, LAST_OF_GCM);
    }

    static JceAead chacha20Poly1305(byte[] key, byte[] nonce, byte[] aad) {
        Supplier<AlgorithmParameterSpec> parameters = () -> new IvParameterSpec(nonce);
        return new JceAead(
                "ChaCha20-Poly1305", new WipeableKey("ChaCha20", key), aad, 16, parameters, LAST_OF_CHACHA20);
    }

    @Override
    public void seal(byte[] data, int textOffset, int textBytes) {
        try {
            cipher.init(Cipher.ENCRYPT_MODE, key, parameters.get());
            cipher.updateAAD(aad);
            cipher.doFinal(data, textOffset, textBytes, data, textOffset);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public boolean open(byte[] data, int textOffset, int textBytes) {
        try {
            cipher.init(Cipher.DECRYPT_MODE, key, parameters.get());
            cipher.updateAAD(aad);
            cipher.doFinal(data, textOffset, textBytes + icvBytes, data, textOffset);
            return true;
        } catch (AEADBadTagException e) {
            return false;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void destroy() {
        key.destroyWith(cipher, lastParameters);
    }

    static Cipher cipher(String transformation) {
        try {
            return Cipher.getInstance(transformation);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
