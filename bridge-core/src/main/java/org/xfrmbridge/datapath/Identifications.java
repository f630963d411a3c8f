package org.xfrmbridge.datapath;

import java.util.concurrent.ThreadLocalRandom;

/**
 * What tells packets apart whose fragments may be on their way at the same time: two flows through the same tunnel ends
 * must not use the same one, or their fragments mix (RFC 6864 section 4.3, RFC 8200 section 4.5). So all that a
 * datapath thread sends has its numbers from here, and each thread of a direction has a part of them that is its own,
 * by the upper bits. They count up, or what a device is to cut could not be merged. One thread.
 */
final class Identifications {
    private static final int IPV4_BITS = 16;

    private final int thread;
    private final int threadBits;
    private int last = ThreadLocalRandom.current().nextInt();

    /**
     * @param thread from 0 on
     * @param threads of the direction
     */
    Identifications(int thread, int threads) {
        this.thread = thread;
        threadBits = Integer.SIZE - Integer.numberOfLeadingZeros(threads - 1);
    }

    /** Of 16 bits, and never 0, which stands for none. */
    int nextIpv4() {
        int next = ofThread(IPV4_BITS);
        return next != 0 ? next : ofThread(IPV4_BITS);
    }

    /** Of 32 bits. */
    int nextIpv6() {
        return ofThread(Integer.SIZE);
    }

    private int ofThread(int bits) {
        last++;
        int ownBits = bits - threadBits;
        return (int) ((long) thread << ownBits) | last & -1 >>> Integer.SIZE - ownBits;
    }
}
