package org.xfrmbridge.esp;

import java.security.GeneralSecurityException;
import javax.crypto.Mac;

/** HMAC (RFC 2104) over a digest of the JDK. */
final class JceHmac implements PacketMac {
    private final Mac mac;
    private final WipeableKey key;
    private final byte[] result;

    /** @param key taken over; without any byte it counts as one zero byte, which is the same key to HMAC */
    JceHmac(String algorithm, byte[] key) {
        this.key = new WipeableKey(algorithm, key.length == 0 ? new byte[1] : key);
        try {
            mac = Mac.getInstance(algorithm);
            mac.init(this.key);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
        result = new byte[mac.getMacLength()];
    }

    @Override
    public byte[] compute(byte[] data, int offset, int length) {
        try {
            mac.update(data, offset, length);
            mac.doFinal(result, 0);
            return result;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void destroy() {
        key.destroyWith(mac);
    }
}
