package org.xfrmbridge.datapath;

import java.security.SecureRandom;
import java.util.concurrent.atomic.AtomicLongArray;
import org.xfrmbridge.net.Icmp;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * Flows of the host's sockets that are bound to an interface, as their packets leave: what comes back is theirs only if
 * it comes in by that one. The outbound thread notes them, packet by packet; the inbound thread asks. Bounded: a flow
 * may take the place of another, which has it back with its next packet. Whoever is taken for another by chance, one of
 * 2^52, comes in by another interface, and no more. A ping has no port that tells its socket from others: it is
 * forgotten 17 to 34 s after its latest request.
 */
final class BoundFlows {
    private static final int SLOT_BITS = 12;
    private static final int PING_PERIOD_BITS = 34;
    private static final long FACTOR = 0x9e3779b97f4a7c15L;

    /** What tells a flow from others; its first bits are its place. */
    private final AtomicLongArray signs = new AtomicLongArray(1 << SLOT_BITS);

    private final long seed = new SecureRandom().nextLong();
    private volatile boolean any;

    /** @param sent with the interface that it leaves by */
    void note(Flow sent, long nowNs) {
        long addresses = mix(seed, sent.daddrHigh, sent.daddrLow, sent.saddrHigh, sent.saddrLow);
        long sign;
        if (isPing(sent)) {
            int reply = sent.protocol == IpProtocol.ICMP ? Icmp.ECHO_REPLY : Icmp.V6_ECHO_REPLY;
            sign = mix(sign(addresses, sent, sent.ifindex, reply, 0), period(nowNs));
        } else {
            sign = sign(addresses, sent, sent.ifindex, sent.dport, sent.sport);
        }
        int slot = slot(sign);
        if (signs.getPlain(slot) != sign) {
            signs.setRelease(slot, sign);
            any = true;
        }
    }

    /** Whether it answers a flow that was noted. Costs a volatile read where there has been none. */
    boolean answersAny(Flow received, int ifindex, long nowNs) {
        return any && answers(received, ifindex, nowNs);
    }

    private boolean answers(Flow received, int ifindex, long nowNs) {
        long addresses = mix(seed, received.saddrHigh, received.saddrLow, received.daddrHigh, received.daddrLow);
        long sign = sign(addresses, received, ifindex, received.sport, received.dport);
        if (received.protocol != IpProtocol.ICMP && received.protocol != IpProtocol.ICMPV6) {
            return isNoted(sign);
        }
        return isNoted(mix(sign, period(nowNs))) || isNoted(mix(sign, period(nowNs) - 1));
    }

    private boolean isNoted(long sign) {
        return signs.getAcquire(slot(sign)) == sign;
    }

    private static long period(long nowNs) {
        return nowNs >> PING_PERIOD_BITS;
    }

    /** A socket that is bound may have sent it, and no other thing of the host would. */
    static boolean isPing(Flow sent) {
        return sent.protocol == IpProtocol.ICMP && sent.sport == Icmp.ECHO
                || sent.protocol == IpProtocol.ICMPV6 && sent.sport == Icmp.V6_ECHO;
    }

    private static int slot(long sign) {
        return (int) (sign >>> Long.SIZE - SLOT_BITS);
    }

    private static long sign(long addresses, Flow flow, int ifindex, int sport, int dport) {
        return mix(addresses, flow.family, flow.protocol, (long) sport << 16 | dport, ifindex);
    }

    private static long mix(long hash, long first, long second, long third, long fourth) {
        return mix(mix(mix(mix(hash, first), second), third), fourth);
    }

    private static long mix(long hash, long value) {
        long product = (hash ^ value) * FACTOR;
        return product ^ product >>> 32;
    }
}
