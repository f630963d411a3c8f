package org.xfrmbridge.esp;

import org.bouncycastle.crypto.Digest;
import org.bouncycastle.crypto.macs.HMac;
import org.bouncycastle.crypto.params.KeyParameter;

/** HMAC over a digest that the JDK lacks. */
final class BouncyHmac implements PacketMac {
    private final HMac mac;
    private final byte[] result;

    /** @param key wiped */
    BouncyHmac(Digest digest, byte[] key) {
        mac = new HMac(digest);
        BouncyKey.use(key, mac::init);
        result = new byte[mac.getMacSize()];
    }

    @Override
    public byte[] compute(byte[] data, int offset, int length) {
        mac.update(data, offset, length);
        mac.doFinal(result, 0);
        return result;
    }

    @Override
    public void destroy() {
        mac.init(new KeyParameter(new byte[1]));
    }
}
