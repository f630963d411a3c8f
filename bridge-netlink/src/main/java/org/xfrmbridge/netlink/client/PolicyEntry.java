package org.xfrmbridge.netlink.client;

import java.io.IOException;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.netlink.map.PolicyDecoder;
import org.xfrmbridge.netlink.msg.UserpolicyInfo;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.StateSpec.LifetimeCurrent;

/**
 * A Policy as NEWPOLICY tells it.
 *
 * @param spec what a client said of it; its direction is null for policies of sockets, which a dump lists, too
 * @param current when it was added and last used, in seconds since the epoch
 */
public record PolicyEntry(PolicySpec spec, LifetimeCurrent current) {
    static PolicyEntry of(UserpolicyInfo info, Attributes attributes) throws IOException {
        try {
            return new PolicyEntry(PolicyDecoder.decode(info, attributes), info.current());
        } catch (XfrmException e) {
            throw new IOException("a policy cannot be read: " + e.getMessage(), e);
        }
    }
}
