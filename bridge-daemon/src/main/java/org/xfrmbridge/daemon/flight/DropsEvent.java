package org.xfrmbridge.daemon.flight;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Period;
import jdk.jfr.StackTrace;

/** Packets were dropped for a reason since the last such event. */
@Name("xfrmbridge.Drops")
@Label("Drops")
@Description("Packets were dropped for a reason since the last such event.")
@Category("xfrm-bridge")
@StackTrace(false)
@Period("1 s")
final class DropsEvent extends Event {
    @Label("Reason")
    String reason;

    @Label("Packets")
    long packets;

    @Label("In All")
    long inAll;
}
