package org.xfrmbridge.netlink.client;

import java.io.IOException;
import org.xfrmbridge.io.MessageSocket;

/** A client's NETLINK_XFRM socket, with NETLINK_CAP_ACK and NETLINK_EXT_ACK set. One thread at a time. */
public interface NetlinkConnection extends MessageSocket {
    /** Opens one more; dumps and subscriptions have their own. */
    interface Opener {
        NetlinkConnection open() throws IOException;
    }

    /**
     * NETLINK_ADD_MEMBERSHIP. @param group a {@code GROUP_} number of {@link org.xfrmbridge.netlink.msg.XfrmMessage}
     */
    void join(int group) throws IOException;
}
