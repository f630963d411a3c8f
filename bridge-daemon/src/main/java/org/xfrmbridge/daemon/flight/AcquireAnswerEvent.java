package org.xfrmbridge.daemon.flight;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/** The SA that packets waited for has come. */
@Name("xfrmbridge.AcquireAnswer")
@Label("ACQUIRE Answer")
@Description("The SA that packets waited for has come.")
@Category("xfrm-bridge")
@StackTrace(false)
final class AcquireAnswerEvent extends Event {
    @Label("Source")
    String source;

    @Label("Destination")
    String destination;

    @Label("Waited")
    @Timespan(Timespan.NANOSECONDS)
    long waited;

    @Label("SPI")
    String spi;

    @Label("Reqid")
    long reqid;
}
