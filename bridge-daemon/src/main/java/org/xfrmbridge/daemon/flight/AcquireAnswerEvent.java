package org.xfrmbridge.daemon.flight;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Timespan;

/** The SA that packets waited for has come. */
@Name("xfrmbridge.AcquireAnswer")
@Label("ACQUIRE Answer")
@Description("The SA that packets waited for has come.")
final class AcquireAnswerEvent extends SaEvent {
    @Label("Waited")
    @Timespan(Timespan.NANOSECONDS)
    long waited;
}
