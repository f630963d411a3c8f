package org.xfrmbridge.netlink.client;

import java.io.IOException;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.netlink.map.StateDecoder;
import org.xfrmbridge.netlink.msg.UsersaInfo;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpec.LifetimeCurrent;

/**
 * A State as NEWSA tells it.
 *
 * @param spec what a client said of it, with its replay numbers of now. Call {@link StateSpec#wipeKeys} when the keys
 *     have served
 * @param current bytes, packets, and when it was added and first used (seconds since the epoch)
 * @param stats packets it refused
 * @param lastUsedSeconds since the epoch, 0 if never or not told
 */
public record StateEntry(StateSpec spec, LifetimeCurrent current, UsersaInfo.Stats stats, long lastUsedSeconds) {
    static StateEntry of(UsersaInfo info, Attributes attributes) throws IOException {
        try {
            StateSpec spec = StateDecoder.decode(info, attributes);
            boolean used = attributes.has(XfrmAttribute.LASTUSED);
            return new StateEntry(
                    spec,
                    info.current(),
                    info.stats(),
                    used ? attributes.get(XfrmAttribute.LASTUSED).getLong(0) : 0);
        } catch (XfrmException e) {
            throw new IOException("a state cannot be read: " + e.getMessage(), e);
        }
    }
}
