package org.xfrmbridge.daemon.attach;

/** How a bridge is to be attached. */
public sealed interface AttachmentPlan permits WirePlan, StackPlan {
    /** Whether super-frames are carried, where the kernel knows such; else one frame at a time everywhere. */
    boolean offload();

    /** How many threads each direction is to have. */
    int queues();
}
