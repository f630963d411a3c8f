package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;
import static org.xfrmbridge.daemon.os.Native.check;

import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.os.Native.Memory;

/**
 * Where whoever has started this process as a service hears how it is: sd_notify(3). Without one nobody does. A service
 * does not end for it, so that what cannot be said is logged alone. Any thread.
 */
public final class NotifySocket implements AutoCloseable {
    /** Nobody listens. */
    public static final NotifySocket NOBODY = new NotifySocket(null);

    private static final Logger LOG = LoggerFactory.getLogger(NotifySocket.class);
    private static final int SOCK_DGRAM_CLOEXEC = 2 | 0x80000;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final char ABSTRACT = '@';

    /** Null if nobody listens. */
    private final Descriptor descriptor;

    private NotifySocket(Descriptor descriptor) {
        this.descriptor = descriptor;
    }

    /** The one that the environment names. */
    public static NotifySocket ofEnvironment() {
        return of(System.getenv("NOTIFY_SOCKET"));
    }

    /** @param address a path, or {@code @} and a name that is no file's; null for none */
    static NotifySocket of(String address) {
        if (address == null || address.isEmpty()) {
            return NOBODY;
        }
        try {
            return new NotifySocket(connect(address));
        } catch (OsException e) {
            LOG.warn("NOTIFY_SOCKET is of no use: {}", e.getMessage());
            return NOBODY;
        }
    }

    private static Descriptor connect(String address) throws OsException {
        byte[] name = address.getBytes(StandardCharsets.UTF_8);
        boolean isFile = name[0] != ABSTRACT;
        Memory memory = new Memory(2 + name.length + 1);
        memory.buffer.putShort(0, (short) UnixServer.AF_UNIX).put(2, name);
        if (!isFile) {
            memory.buffer.put(2, (byte) 0);
        }
        Descriptor socket =
                new Descriptor(check(LIBC.socket(UnixServer.AF_UNIX, SOCK_DGRAM_CLOEXEC, 0), "socket(AF_UNIX, DGRAM)"));
        try {
            check(
                    LIBC.connect(socket.fd(), memory.pointer, 2 + name.length + (isFile ? 1 : 0)),
                    "connect(%s)",
                    address);
            return socket;
        } catch (OsException e) {
            socket.close();
            throw e;
        }
    }

    /** Waits until there is room for it: for what is said once. @param state lines {@code NAME=VALUE} */
    public void send(String state) {
        send(state, 0);
    }

    /** Does not wait: for what will be said again. */
    public void offer(String state) {
        send(state, MSG_DONTWAIT);
    }

    private void send(String state, int flags) {
        if (descriptor == null) {
            return;
        }
        byte[] bytes = state.getBytes(StandardCharsets.UTF_8);
        Memory memory = new Memory(bytes.length);
        memory.buffer.put(0, bytes);
        try {
            check(LIBC.send(descriptor.fd(), memory.pointer, bytes.length, MSG_NOSIGNAL | flags), "send(%s)", state);
        } catch (OsException e) {
            LOG.debug("nobody was told: {}", e.getMessage());
        }
    }

    @Override
    public void close() {
        if (descriptor != null) {
            descriptor.close();
        }
    }
}
