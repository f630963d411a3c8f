package org.xfrmbridge.datapath;

import org.xfrmbridge.io.HostNetwork.NextHop;

/**
 * The precomputed route of protected packets: the States of a policy's templates, inside out, with their headers, and
 * the way that the outer packet takes. The kernel's chain of {@code xfrm_dst}.
 */
final class Bundle {
    private final BundleStep[] steps;
    private final NextHop nextHop;
    private final int vrf;
    private final int mark;
    private final int linkMtu;
    private final int innerMtu;
    private final int headBytes;
    private final int tailBytes;

    /**
     * @param nextHop null if the frame keeps its own link header: its destination stays the same
     * @param vrf index of the device of the VRF in which it has that next hop, 0 for none
     * @param mark of the outer packet
     * @param linkMtu what the outer packet may be long
     */
    Bundle(BundleStep[] steps, NextHop nextHop, int vrf, int mark, int linkMtu) {
        this.steps = steps;
        this.nextHop = nextHop;
        this.vrf = vrf;
        this.mark = mark;
        this.linkMtu = linkMtu;
        int mtu = linkMtu;
        int head = 0;
        int tail = 0;
        for (int i = steps.length - 1; i >= 0; i--) {
            mtu = steps[i].innerMtu(mtu);
            steps[i].limitPadding(mtu);
            head += steps[i].headBytes();
            tail += steps[i].tailBytes();
        }
        innerMtu = mtu;
        headBytes = head;
        tailBytes = tail;
    }

    int steps() {
        return steps.length;
    }

    BundleStep step(int index) {
        return steps[index];
    }

    NextHop nextHop() {
        return nextHop;
    }

    int vrf() {
        return vrf;
    }

    /** Of the outer packet. */
    int mark() {
        return mark;
    }

    /** The longest outer packet. */
    int linkMtu() {
        return linkMtu;
    }

    /** The longest packet that becomes an outer one of at most {@link #linkMtu}. */
    int innerMtu() {
        return innerMtu;
    }

    /** Whether the packet as it is gets an IP header in front: its own headers are not touched then. */
    boolean startsWithOuterHeader() {
        return steps[0].hasOuterHeader();
    }

    /** Whether a packet of that family may enter it in fragments. */
    boolean takesFragments(int family) {
        return steps[0].takesFragments(family);
    }

    int headBytes() {
        return headBytes;
    }

    int tailBytes() {
        return tailBytes;
    }

    boolean isFresh() {
        for (BundleStep step : steps) {
            if (!step.isFresh()) {
                return false;
            }
        }
        return true;
    }
}
