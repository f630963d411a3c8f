package org.xfrmbridge.daemon.attach;

import org.xfrmbridge.daemon.nft.StackNames;

/**
 * In the host's stack.
 *
 * @param openedMark what opened packets have as mark when they enter the host's stack; the bit of {@code names} is not
 *     in it
 * @param queues of the TAP, each with a thread for each direction
 * @param clampsMss whether TCP connections that are forwarded are told what fits into their tunnel
 */
public record StackPlan(StackNames names, int openedMark, boolean clampsMss, boolean offload, int queues)
        implements AttachmentPlan {
    /** With one queue. */
    public StackPlan(StackNames names, int openedMark, boolean clampsMss, boolean offload) {
        this(names, openedMark, clampsMss, offload, 1);
    }
}
