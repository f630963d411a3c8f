package org.xfrmbridge.daemon.flight;

import jdk.jfr.Description;
import jdk.jfr.Label;
import jdk.jfr.Name;

/** Packets want an SA, and IKE daemons were asked for it. */
@Name("xfrmbridge.Acquire")
@Label("ACQUIRE")
@Description("Packets want an SA, and IKE daemons were asked for it.")
final class AcquireEvent extends SaEvent {
    @Label("Policy")
    long policy;
}
