package org.xfrmbridge.daemon.flight;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** Packets want an SA, and IKE daemons were asked for it. */
@Name("xfrmbridge.Acquire")
@Label("ACQUIRE")
@Description("Packets want an SA, and IKE daemons were asked for it.")
@Category("xfrm-bridge")
@StackTrace(false)
final class AcquireEvent extends Event {
    @Label("Source")
    String source;

    @Label("Destination")
    String destination;

    @Label("Protocol")
    String protocol;

    @Label("Reqid")
    long reqid;

    @Label("Policy")
    long policy;
}
