package org.xfrmbridge.daemon.port;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.PacketRing;
import org.xfrmbridge.daemon.os.PollSet;
import org.xfrmbridge.daemon.os.StackSigns;
import org.xfrmbridge.daemon.port.InboundShortcuts.Look;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Checksum;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.Ipv4;

/**
 * ESP that comes past the host's IP layer, by a ring for each family, while there is much of it. A way is opened and
 * closed between two packets; so that these keep their order, what came by sockets is taken first when one has been
 * opened, and what is in the rings when all have been closed. One thread.
 */
final class RingInput implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RingInput.class);

    private static final int IPV4 = 0;
    private static final int IPV6 = 1;
    private static final int[] TYPES = {Ethernet.TYPE_IPV4, Ethernet.TYPE_IPV6};

    /** So much by sockets, and ways are looked for. */
    private static final int MANY = 64;

    private final InboundShortcuts.Source source;
    private final int socketsFd;
    /** Null until there is much. */
    private InboundShortcuts shortcuts;
    /** Of each family; null if there is none. */
    private final PacketRing[] rings = new PacketRing[TYPES.length];
    /** Where frames or sockets are waited for; null without rings. */
    private PollSet poll;

    private final int[] waiting = new int[TYPES.length];
    private int rare;
    private boolean socketsFirst;
    private boolean ringsFirst;
    private boolean isImpossible;
    private long missedByClosed;

    /** @param socketsFd readable while anything waits at sockets */
    RingInput(InboundShortcuts.Source source, int socketsFd) {
        this.source = source;
        this.socketsFd = socketsFd;
    }

    /**
     * Waits until a frame waits here or something at sockets, or the time is over; false, and at once, if there is no
     * ring. Rings are in no set of events, which would be told of each packet.
     */
    boolean await(int timeoutMs) {
        if (poll == null) {
            return false;
        }
        poll.await(timeoutMs);
        return true;
    }

    /** Takes a frame that waits; its memory is the kernel's again, whatever happens. */
    static PacketBuffer take(PacketRing ring, PacketPool pool) {
        try {
            PacketBuffer frame = pool.take();
            frame.ensureCapacity(ring.next());
            frame.length = ring.next();
            ring.copy(frame.data, frame.offset);
            return frame;
        } finally {
            ring.give();
        }
    }

    /** Whether frames wait. */
    boolean haveFrames() {
        for (PacketRing ring : rings) {
            if (ring != null && ring.next() > 0) {
                return true;
            }
        }
        return false;
    }

    /**
     * Takes what waits.
     *
     * @param socketsWait whether anything does at sockets, too
     * @param most frames
     * @return how many there were
     */
    int receive(PacketPool pool, PacketBatch into, boolean socketsWait, int most) {
        if (poll == null) {
            return 0;
        }
        boolean framesWait = count(most);
        heed(shortcuts.look(framesWait));
        socketsFirst &= socketsWait;
        if (socketsFirst) {
            return 0;
        }
        int frames = 0;
        for (int family = 0; family < rings.length; family++) {
            for (; waiting[family] > 0; waiting[family]--) {
                int ifindex = rings[family].ifindex();
                PacketBuffer frame = take(rings[family], pool);
                frame.ifindex = ifindex;
                add(frame, family, pool, into);
                frames++;
            }
        }
        ringsFirst &= frames > 0;
        return frames;
    }

    /** Whether what is at sockets has come later than what is in the rings. */
    boolean areFirst() {
        return ringsFirst;
    }

    private boolean count(int most) {
        boolean any = false;
        for (int family = 0; family < rings.length; family++) {
            waiting[family] = rings[family] == null ? 0 : rings[family].waiting(most);
            any |= waiting[family] > 0;
        }
        return any;
    }

    private void heed(Look look) {
        if (look == Look.CHANGED) {
            ringsFirst = true;
            // Else each would wait for the other: what came by sockets before has no end that could be seen any more.
            socketsFirst = false;
        } else if (look != Look.OPEN) {
            closeRings();
        }
    }

    /** The IP layer would have dropped what is wrong. */
    private static void add(PacketBuffer frame, int family, PacketPool pool, PacketBatch into) {
        int ip = frame.offset + Ethernet.HEADER_BYTES;
        if (family == IPV4 && !Checksum.isIntact(Checksum.add(0, frame.data, ip, Ipv4.HEADER_BYTES))) {
            pool.give(frame);
        } else {
            into.add(frame);
        }
    }

    /** ESP has come by a socket. */
    void note(PacketBuffer frame) {
        if (socketsFirst) {
            shortcuts.cameBefore();
            return;
        }
        if (shortcuts == null && isRare()) {
            return;
        }
        switch (shortcuts.came(frame)) {
            case WORTH_OPENING -> socketsFirst = openRing(frame) && shortcuts.open(frame);
            case CLOSED -> ringsFirst = true;
            case AS_BEFORE -> {}
        }
    }

    private boolean isRare() {
        if (isImpossible || ++rare < MANY) {
            return true;
        }
        rare = 0;
        try {
            shortcuts = source.open();
        } catch (OsException e) {
            giveUp(e);
        }
        return isImpossible;
    }

    private boolean openRing(PacketBuffer frame) {
        boolean isIpv4 = Bytes.u16(frame.data, frame.offset + Ethernet.TYPE) == Ethernet.TYPE_IPV4;
        int family = isIpv4 ? IPV4 : IPV6;
        if (rings[family] == null) {
            try {
                set(
                        family,
                        PacketRing.ofSigned(
                                TYPES[family],
                                shortcuts.mark(),
                                StackSigns.SIGNED_PACKET_TYPE,
                                InboundShortcuts.MOST_PACKET_BYTES));
                watch();
            } catch (OsException e) {
                giveUp(e);
            }
        }
        return !isImpossible;
    }

    private synchronized void set(int family, PacketRing ring) {
        rings[family] = ring;
    }

    /** How many packets came while a ring was full. Any thread. */
    synchronized long missed() {
        long missed = missedByClosed;
        for (PacketRing ring : rings) {
            missed += ring == null ? 0 : ring.missed();
        }
        return missed;
    }

    private void watch() {
        poll = new PollSet();
        poll.add(socketsFd, PollSet.READ);
        for (PacketRing ring : rings) {
            if (ring != null) {
                poll.add(ring.fd(), PollSet.READ);
            }
        }
    }

    private void giveUp(OsException reason) {
        LOG.info("ESP comes by sockets however much there is of it, as rings are refused: {}", reason.getMessage());
        isImpossible = true;
        closeShortcuts();
        closeRings();
    }

    private void closeShortcuts() {
        if (shortcuts != null) {
            shortcuts.close();
            shortcuts = null;
        }
    }

    private synchronized void closeRings() {
        for (int family = 0; family < rings.length; family++) {
            if (rings[family] != null) {
                missedByClosed += rings[family].missed();
                rings[family].close();
                rings[family] = null;
            }
            waiting[family] = 0;
        }
        poll = null;
        ringsFirst = false;
        socketsFirst = false;
    }

    /** When no thread receives any more. */
    @Override
    public void close() {
        closeShortcuts();
        closeRings();
    }
}
