package org.xfrmbridge.datapath;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;

/**
 * Path MTUs towards tunnel ends, learned from ICMP (RFC 1191, RFC 8201). Written by an inbound thread when such a
 * message comes, read by the outbound ones when they make a {@link Bundle}. What is learned can only make packets
 * smaller, down to a floor; it is forgotten after ten minutes, and the oldest is forgotten when the table is full.
 */
public final class PathMtu {
    /** The kernel's {@code ip_rt_min_pmtu}. */
    public static final int MIN_IPV4_BYTES = 552;

    public static final int MAX_ENTRIES = 1024;
    public static final long LIFETIME_NS = 600_000_000_000L;

    /** @param expiresNs on the datapath's clock */
    public record Learned(int mtuBytes, long expiresNs) {}

    private final Map<Address, Learned> entries = new ConcurrentHashMap<>();
    private volatile int generation;

    /** Changes whenever something new was learned. */
    public int generation() {
        return generation;
    }

    /** What is known, or null. An entry holds until its {@link Learned#expiresNs}. */
    public Learned find(Address destination, long nowNs) {
        Learned learned = entries.get(destination);
        return learned == null || learned.expiresNs - nowNs <= 0 ? null : learned;
    }

    /** Inbound threads only. A value above what is known already is ignored: an MTU grows only by being forgotten. */
    synchronized void learn(int family, Address destination, int mtuBytes, long nowNs) {
        int floor = family == AddressFamily.INET ? MIN_IPV4_BYTES : Ipv6.MIN_MTU_BYTES;
        int mtu = Math.max(mtuBytes, floor);
        Learned known = find(destination, nowNs);
        if (known != null && known.mtuBytes <= mtu) {
            return;
        }
        if (entries.size() >= MAX_ENTRIES) {
            forgetOldest();
        }
        entries.put(destination, new Learned(mtu, nowNs + LIFETIME_NS));
        publish();
    }

    private void forgetOldest() {
        entries.entrySet().stream()
                .min((a, b) -> Long.signum(a.getValue().expiresNs - b.getValue().expiresNs))
                .ifPresent(oldest -> entries.remove(oldest.getKey()));
    }

    @SuppressWarnings("NonAtomicOperationOnVolatileField")
    private void publish() {
        generation = generation + 1;
    }
}
