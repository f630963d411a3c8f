package org.xfrmbridge.daemon;

import java.security.SecureRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.db.Sad;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * Adds SAs to databases of nobody's: the first use of the JDK's ciphers costs some hundred milliseconds, which the first client would wait for.
 * Any thread.
 */
public final class Rehearsal implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(Rehearsal.class);

    @Override
    public void run() {
        XfrmEngine engine = new XfrmEngine(new Sad(), new Spd(), new SystemClock(), new SecureRandom(), () -> {});
        StateSpec.Builder combined = spec(1);
        combined.aead = new Algorithm("rfc4106(gcm(aes))", 160, 128, new byte[20]);
        StateSpec.Builder separate = spec(2);
        separate.cipher = new Algorithm("cbc(aes)", 128, 0, new byte[16]);
        separate.auth = new Algorithm("hmac(sha256)", 256, 128, new byte[32]);
        try {
            engine.addState(combined.build(), Origin.KERNEL);
            engine.addState(separate.build(), Origin.KERNEL);
            engine.flushStates(0, Origin.KERNEL);
        } catch (XfrmException e) {
            LOG.warn("SAs of the usual algorithms are refused: {}", e.getMessage());
        }
    }

    private static StateSpec.Builder spec(int spi) {
        StateSpec.Builder spec = StateSpec.builder();
        spec.id = new StateId(Address.ofIpv4(0x7f00_0001), spi + 0x1000, IpProtocol.ESP);
        spec.saddr = Address.ofIpv4(0x7f00_0001);
        spec.family = AddressFamily.INET;
        spec.mode = Mode.TUNNEL;
        return spec;
    }
}
