package org.xfrmbridge.daemon;

import java.nio.file.Path;
import org.xfrmbridge.daemon.attach.AttachmentPlan;
import org.xfrmbridge.km.XfrmEngine;

/**
 * What a bridge is started with.
 *
 * @param privilegedGid whose members may change anything, as root may; negative for nobody
 * @param flows how many each thread of a direction remembers
 * @param acquires how many SAs packets may wait for at a time
 */
public record BridgeOptions(AttachmentPlan plan, Path directory, int privilegedGid, int flows, int acquires) {
    /** With as many acquires as is usual. */
    public BridgeOptions(AttachmentPlan plan, Path directory, int privilegedGid, int flows) {
        this(plan, directory, privilegedGid, flows, XfrmEngine.DEFAULT_ACQUIRES);
    }

    /** How many all threads of a direction remember. */
    public long allFlows() {
        return (long) plan.queues() * flows;
    }
}
