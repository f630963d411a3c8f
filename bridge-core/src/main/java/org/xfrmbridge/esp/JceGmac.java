package org.xfrmbridge.esp;

import java.security.GeneralSecurityException;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;

/** ENCR_NULL_AUTH_AES_GMAC (RFC 4543): nothing is encrypted, header, IV and text are all associated data. */
final class JceGmac implements PacketAead {
    private static final int IV_BYTES = 8;

    private final Cipher cipher = JceAead.cipher("AES/GCM/NoPadding");
    private final WipeableKey key;
    private final int icvBytes;
    private final byte[] nonce;
    private final byte[] aad;
    private final byte[] noText = new byte[0];

    JceGmac(byte[] key, int icvBytes, byte[] nonce, byte[] aad) {
        this.key = new WipeableKey("AES", key);
        this.icvBytes = icvBytes;
        this.nonce = nonce;
        this.aad = aad;
    }

    @Override
    public void seal(byte[] data, int textOffset, int textBytes) {
        try {
            authenticate(Cipher.ENCRYPT_MODE, data, textOffset, textBytes);
            cipher.doFinal(noText, 0, 0, data, textOffset + textBytes);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public boolean open(byte[] data, int textOffset, int textBytes) {
        try {
            authenticate(Cipher.DECRYPT_MODE, data, textOffset, textBytes);
            cipher.doFinal(data, textOffset + textBytes, icvBytes, noText, 0);
            return true;
        } catch (AEADBadTagException e) {
            return false;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void destroy() {
        key.destroyWith(cipher, JceAead.LAST_OF_GCM);
    }

    private void authenticate(int mode, byte[] data, int textOffset, int textBytes) throws GeneralSecurityException {
        cipher.init(mode, key, new GCMParameterSpec(icvBytes * 8, nonce));
        cipher.updateAAD(aad);
        cipher.updateAAD(data, textOffset - IV_BYTES, IV_BYTES + textBytes);
    }
}
