package org.xfrmbridge.daemon.flight;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** An SA was added, updated or removed. */
@Name("xfrmbridge.SaChange")
@Label("SA Change")
@Description("An SA was added, updated or removed.")
@Category("xfrm-bridge")
@StackTrace(false)
final class SaChangeEvent extends Event {
    @Label("Change")
    String change;

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

    @Label("Algorithm")
    String algorithm;

    @Label("Bytes Carried")
    long bytes;

    @Label("Packets Carried")
    long packets;
}
