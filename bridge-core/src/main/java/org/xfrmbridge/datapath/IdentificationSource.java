package org.xfrmbridge.datapath;

import java.util.concurrent.ThreadLocalRandom;

/**
 * IPv4 identifications of all tunnels of a datapath thread, from one counter: two flows through the same tunnel ends
 * must not use the same one at the same time, or their fragments mix (RFC 6864 4.3).
 */
final class IdentificationSource {
    private int next = ThreadLocalRandom.current().nextInt();

    int next() {
        return next++ & 0xffff;
    }
}
