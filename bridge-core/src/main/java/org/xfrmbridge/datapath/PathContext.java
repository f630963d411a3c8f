package org.xfrmbridge.datapath;

import org.xfrmbridge.db.Sad;
import org.xfrmbridge.db.SocketPolicies;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.io.HostNetwork;
import org.xfrmbridge.km.DatapathEvents;
import org.xfrmbridge.time.Clock;

/**
 * What both directions of a datapath share: the databases they ask, the host they serve and whom they tell.
 *
 * @param ifindex what packets carry as interface when a selector names one
 * @param hostMac the host's own MAC address on the link
 */
public record PathContext(
        Sad sad,
        Spd spd,
        SocketPolicies sockets,
        HostNetwork network,
        DatapathEvents events,
        PathMtu pathMtu,
        Clock clock,
        int ifindex,
        long hostMac) {}
