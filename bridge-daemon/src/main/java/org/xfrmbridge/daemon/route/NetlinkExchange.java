package org.xfrmbridge.daemon.route;

import java.nio.ByteBuffer;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.netlink.nl.NetlinkErrors;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkReader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;

/**
 * A request to the kernel and the whole of its answer, netlink(7). A refusal is an {@link OsException} with the
 * kernel's words. One thread at a time.
 */
public final class NetlinkExchange implements AutoCloseable {
    private final NetlinkSocket socket;
    private final IntFunction<String> nameOf;
    private int sequence;

    /** @param nameOf a type of request, as a person knows it */
    public NetlinkExchange(NetlinkSocket socket, IntFunction<String> nameOf) {
        this.socket = socket;
        this.nameOf = nameOf;
    }

    /** Starts a message of that type; its header and attributes follow. */
    public NetlinkWriter request(int type, int flags) {
        return new NetlinkWriter().begin(type, NetlinkHeader.REQUEST | flags, ++sequence, 0);
    }

    /**
     * Sends the request that was started last, and passes on each message of the answer but the last one of a dump.
     *
     * @return false if entries changed during a dump, so that some may be missing
     */
    public boolean run(byte[] request, Consumer<NetlinkReader> answers) throws OsException {
        socket.send(request);
        boolean isComplete = true;
        while (true) {
            NetlinkReader reader = new NetlinkReader(socket.receive());
            while (reader.next()) {
                NetlinkHeader header = reader.header();
                if (header.sequence() != sequence) {
                    continue;
                }
                isComplete &= !header.has(NetlinkHeader.DUMP_INTERRUPTED);
                if (header.type() == NetlinkHeader.ERROR || header.type() == NetlinkHeader.DONE) {
                    requireSuccess(reader, request);
                    return isComplete;
                }
                answers.accept(reader);
                if (!header.has(NetlinkHeader.MULTI)) {
                    return isComplete;
                }
            }
        }
    }

    private void requireSuccess(NetlinkReader reader, byte[] request) throws OsException {
        ByteBuffer payload = reader.payload();
        int errno = NetlinkErrors.errno(payload);
        if (errno == 0) {
            return;
        }
        NetlinkHeader asked = NetlinkHeader.read(ByteBuffer.wrap(request).order(payload.order()), 0);
        String words = NetlinkErrors.message(reader);
        String name = nameOf.apply(asked.type());
        throw new OsException(words == null ? name : name + " (" + words + ")", errno);
    }

    /** Of the network namespace that it asks; 0 if the kernel has none. See {@link NetlinkSocket#namespaceCookie}. */
    public long namespaceCookie() throws OsException {
        return socket.namespaceCookie();
    }

    @Override
    public void close() {
        socket.close();
    }
}
