package org.xfrmbridge.daemon.attach;

/**
 * In front of an interface.
 *
 * @param queues of the host's TAP, each with a thread for each direction
 */
public record WirePlan(DeviceNames names, boolean offload, int queues) implements AttachmentPlan {
    /** With one queue. */
    public WirePlan(DeviceNames names, boolean offload) {
        this(names, offload, 1);
    }
}
