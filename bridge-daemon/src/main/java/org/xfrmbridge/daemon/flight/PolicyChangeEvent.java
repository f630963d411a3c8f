package org.xfrmbridge.daemon.flight;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A policy was added, updated or removed. */
@Name("xfrmbridge.PolicyChange")
@Label("Policy Change")
@Description("A policy was added, updated or removed.")
@Category("xfrm-bridge")
@StackTrace(false)
final class PolicyChangeEvent extends Event {
    @Label("Change")
    String change;

    @Label("Direction")
    String direction;

    @Label("Index")
    long index;

    @Label("Priority")
    long priority;

    @Label("Selector")
    String selector;
}
