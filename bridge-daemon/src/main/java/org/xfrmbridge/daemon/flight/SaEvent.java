package org.xfrmbridge.daemon.flight;

import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.StackTrace;
import org.xfrmbridge.daemon.figures.Figures;

/** Something that has come to an SA. */
@Category("xfrm-bridge")
@StackTrace(false)
abstract class SaEvent extends Event {
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

    void name(Figures.Sa sa) {
        source = sa.source();
        destination = sa.destination();
        spi = sa.spi();
        protocol = sa.protocol();
        reqid = sa.reqid();
    }
}
