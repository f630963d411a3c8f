package org.xfrmbridge.daemon.flight;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** An SA has reached a soft or hard limit. */
@Name("xfrmbridge.SaExpired")
@Label("SA Expired")
@Description("An SA has reached a soft or hard limit.")
final class SaExpiredEvent extends SaEvent {
    @Label("Hard")
    boolean hard;

    @Label("Bytes Carried")
    long bytes;

    @Label("Packets Carried")
    long packets;
}
