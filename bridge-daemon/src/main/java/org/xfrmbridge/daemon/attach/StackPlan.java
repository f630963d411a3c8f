package org.xfrmbridge.daemon.attach;

import org.xfrmbridge.daemon.nft.StackNames;

/**
 * In the host's stack.
 *
 * @param openedMark what opened packets have as mark when they enter the host's stack; the bit of {@code names} is not
 *     in it
 * @param clampsMss whether TCP connections that are forwarded are told what fits into their tunnel
 */
public record StackPlan(StackNames names, int openedMark, boolean clampsMss, boolean offload)
        implements AttachmentPlan {}
