package org.xfrmbridge.datapath;

import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.net.IpPacket;

/**
 * Puts fragments together (RFC 791, RFC 8200 4.5), because policies and ESP want whole packets. Bounded: so many
 * datagrams at a time, for so long, the oldest making room. A datagram with overlapping fragments is dropped whole (RFC
 * 5722). One thread.
 */
final class Reassembly {
    static final int MAX_DATAGRAMS = 64;
    static final long TIMEOUT_NS = 30_000_000_000L;

    private final PacketPool pool;
    private final FragmentQueue[] datagrams = new FragmentQueue[MAX_DATAGRAMS];
    private int count;

    Reassembly(PacketPool pool) {
        this.pool = pool;
    }

    /**
     * Takes a fragment, buffer and all.
     *
     * @param path how it came: those that came different ways do not go together, or half a packet would need no key
     * @return the frame with the whole packet, the caller's, or null if more is to come
     */
    PacketBuffer add(IpPacket fragment, SecPath path, long nowNs) {
        int index = find(fragment, path, nowNs);
        FragmentQueue datagram = datagrams[index];
        FragmentQueue.Outcome outcome = FragmentQueue.Outcome.REFUSED;
        PacketBuffer whole = null;
        try {
            outcome = datagram.add(fragment);
            if (outcome == FragmentQueue.Outcome.COMPLETE) {
                whole = datagram.finish();
            }
            if (whole != null) {
                whole.longestFragment = datagram.largestFragment();
            }
        } finally {
            // After a fault, too: none of its other fragments is to meet what that left.
            if (outcome != FragmentQueue.Outcome.INCOMPLETE) {
                remove(index);
            }
        }
        pool.give(fragment.buffer);
        return whole;
    }

    int size() {
        return count;
    }

    private int find(IpPacket fragment, SecPath path, long nowNs) {
        int oldest = 0;
        for (int i = count - 1; i >= 0; i--) {
            if (datagrams[i].startedNs() + TIMEOUT_NS - nowNs <= 0) {
                remove(i);
            } else if (datagrams[i].isOf(fragment, path)) {
                return i;
            }
        }
        for (int i = 1; i < count; i++) {
            oldest = datagrams[i].startedNs() - datagrams[oldest].startedNs() < 0 ? i : oldest;
        }
        if (count == MAX_DATAGRAMS) {
            remove(oldest);
        }
        if (datagrams[count] == null) {
            datagrams[count] = new FragmentQueue(pool);
        }
        datagrams[count].start(fragment, path, nowNs);
        return count++;
    }

    /** Keeps the object for the next datagram, behind those in use. */
    private void remove(int index) {
        FragmentQueue gone = datagrams[index];
        gone.release();
        datagrams[index] = datagrams[--count];
        datagrams[count] = gone;
    }
}
