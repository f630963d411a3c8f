package org.xfrmbridge.netlink.server;

import java.util.function.BiConsumer;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.netlink.nl.NetlinkErrors;
import org.xfrmbridge.netlink.nl.NetlinkErrors.Fault;
import org.xfrmbridge.netlink.nl.NetlinkErrors.Options;
import org.xfrmbridge.netlink.nl.NetlinkException;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;

/**
 * A dump under way: fills one datagram after the other with messages that carry NLM_F_MULTI, and ends with NLMSG_DONE
 * in a datagram of its own, as a kernel does. NETLINK_XFRM never marks a dump as interrupted (NLM_F_DUMP_INTR),
 * whatever changes meanwhile: Linux 6.18.
 */
final class ActiveDump<T> {
    /** Who asked: number and port for the messages, and what was odd about the request. */
    record DumpRequest(int sequence, int portId, Fault remark) {}

    private final Dump<T> entries;
    private final int messageType;
    private final BiConsumer<NetlinkWriter, T> encoder;
    private final DumpRequest request;
    private T held;
    private boolean begun;
    private boolean done;

    /**
     * @param messageType of every message
     * @param encoder writes what follows the header
     */
    ActiveDump(Dump<T> entries, int messageType, BiConsumer<NetlinkWriter, T> encoder, DumpRequest request) {
        this.entries = entries;
        this.messageType = messageType;
        this.encoder = encoder;
        this.request = request;
    }

    /** A dump that was refused: all there is of it is NLMSG_DONE with the reason. */
    static ActiveDump<Object> refused(int sequence, int portId, NetlinkException reason) {
        DumpRequest request = new DumpRequest(sequence, portId, Fault.of(reason));
        return new ActiveDump<>(new NoEntries(), NetlinkHeader.NOOP, (out, entry) -> {}, request);
    }

    private static final class NoEntries implements Dump<Object> {
        @Override
        public Object next() {
            return null;
        }
    }

    /** Writes the next datagram; false after the last. */
    boolean fill(NetlinkWriter out, int limitBytes, Options options) {
        if (done) {
            return false;
        }
        for (T entry = take(); entry != null; entry = take()) {
            int before = out.sizeBytes();
            out.begin(messageType, NetlinkHeader.MULTI, request.sequence, request.portId);
            encoder.accept(out, entry);
            out.end();
            // A message that is too long by itself goes alone.
            if (out.sizeBytes() > limitBytes && before > 0) {
                out.truncate(before);
                held = entry;
                break;
            }
        }
        if (out.sizeBytes() == 0) {
            done = true;
            // A kernel forgets what it had to remark once it has sent entries.
            Fault remark = begun ? Fault.NONE : request.remark;
            NetlinkErrors.writeDone(out, request.sequence, request.portId, remark, options);
        }
        begun = true;
        return true;
    }

    /** Whether NLMSG_DONE has been made. */
    boolean isDone() {
        return done;
    }

    private T take() {
        T entry = held != null ? held : entries.next();
        held = null;
        return entry;
    }
}
