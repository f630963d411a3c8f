package org.xfrmbridge.daemon.flight;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** An SA has reached a soft or hard limit. */
@Name("xfrmbridge.SaExpired")
@Label("SA Expired")
@Description("An SA has reached a soft or hard limit.")
@Category("xfrm-bridge")
@StackTrace(false)
final class SaExpiredEvent extends Event {
    @Label("Hard")
    boolean hard;

    @Label("Source")
    String source;

    @Label("Destination")
    String destination;

    @Label("SPI")
    String spi;

    @Label("Protocol")
    String protocol;

    @Label("Reqid")
    long reqid;

    @Label("Bytes Carried")
    long bytes;

    @Label("Packets Carried")
    long packets;
}
