package org.xfrmbridge.xfrm;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * What a State or Policy has carried, {@code struct xfrm_lifetime_cur}. Bytes, packets and times in seconds since the
 * epoch.
 *
 * <p>Written by the one datapath thread that uses the entry, read by any thread: each field is whole and recent, but
 * two fields may be a packet apart, as in the kernel.
 */
public final class Usage {
    private static final VarHandle BYTES = handle("bytes");
    private static final VarHandle PACKETS = handle("packets");
    private static final VarHandle USE_SECONDS = handle("useSeconds");
    private static final VarHandle LAST_USED = handle("lastUsedSeconds");
    private static final VarHandle RENEWALS = handle("renewals");

    private final long addSeconds;
    private long bytes;
    private long packets;
    private long useSeconds;
    private long lastUsedSeconds;
    private long renewals;

    public Usage(long addSeconds) {
        this(0, 0, addSeconds, 0);
    }

    public Usage(long bytes, long packets, long addSeconds, long useSeconds) {
        this.bytes = bytes;
        this.packets = packets;
        this.addSeconds = addSeconds;
        this.useSeconds = useSeconds;
    }

    /** Counts one packet; {@code nowSeconds} is remembered as first use (once) and as last use. */
    public void count(long packetBytes, long nowSeconds) {
        BYTES.setOpaque(this, bytes + packetBytes);
        PACKETS.setOpaque(this, packets + 1);
        if (useSeconds == 0) {
            USE_SECONDS.setOpaque(this, nowSeconds);
        }
        if (lastUsedSeconds != nowSeconds) {
            LAST_USED.setOpaque(this, nowSeconds);
        }
    }

    /** Whether it says nothing but when the entry was added. */
    public boolean isUnused() {
        return (bytes() | packets() | useSeconds() | lastUsedSeconds()) == 0;
    }

    /** A use that takes the place of the first one, and counts as no packet: what policies do. */
    public void renew(long nowSeconds) {
        RENEWALS.setOpaque(this, renewals + 1);
        if (useSeconds != nowSeconds) {
            USE_SECONDS.setOpaque(this, nowSeconds);
        }
    }

    /** The same where other threads may do so at the same time. */
    public void renewShared(long nowSeconds) {
        RENEWALS.getAndAdd(this, 1L);
        if (useSeconds() != nowSeconds) {
            USE_SECONDS.setOpaque(this, nowSeconds);
        }
    }

    public long bytes() {
        return (long) BYTES.getOpaque(this);
    }

    public long packets() {
        return (long) PACKETS.getOpaque(this);
    }

    public long addSeconds() {
        return addSeconds;
    }

    /** Time of the first use, of a Policy the last one; 0 if never used. */
    public long useSeconds() {
        return (long) USE_SECONDS.getOpaque(this);
    }

    /** Time of the last packet counted, 0 if there was none. */
    public long lastUsedSeconds() {
        return (long) LAST_USED.getOpaque(this);
    }

    /**
     * How often it was renewed. Where two threads do at once (a policy by which packets are judged that came protected,
     * and others in the clear) one may be missed.
     */
    public long renewals() {
        return (long) RENEWALS.getOpaque(this);
    }

    private static VarHandle handle(String field) {
        try {
            return MethodHandles.lookup().findVarHandle(Usage.class, field, long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }
}
