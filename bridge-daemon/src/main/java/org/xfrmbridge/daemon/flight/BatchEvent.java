package org.xfrmbridge.daemon.flight;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Threshold;

/** A direction has handled a batch of frames, and it took its time. */
@Name("xfrmbridge.Batch")
@Label("Batch")
@Description("A direction has handled a batch of frames, and it took its time.")
@Category("xfrm-bridge")
@StackTrace(false)
@Threshold("1 ms")
final class BatchEvent extends Event {
    @Label("Direction")
    String direction;

    @Label("Frames")
    int frames;
}
