package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;
import static org.xfrmbridge.daemon.os.Native.check;

import java.nio.file.Path;
import org.xfrmbridge.daemon.os.Native.Memory;

/** Hands descriptors to another process and takes them back, a letter with each: SCM_RIGHTS, unix(7). One thread. */
public final class DescriptorSocket implements AutoCloseable {
    /** In the place of a descriptor. */
    public static final int NONE = -1;

    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int MSG_CMSG_CLOEXEC = 0x40000000;

    private final Descriptor descriptor;
    private final PollSet poll = new PollSet();
    private final Memory letter = new Memory(1);
    private final MessageHeader header = new MessageHeader(letter);
    private Descriptor passed;

    private DescriptorSocket(Descriptor descriptor) {
        this.descriptor = descriptor;
        poll.add(descriptor.fd(), PollSet.HANGUP);
    }

    /** To a socket of type SEQPACKET. */
    public static DescriptorSocket connect(Path path) throws OsException {
        return new DescriptorSocket(ClientSocket.connect(path));
    }

    /** Sends a letter, with a descriptor or {@link #NONE}, and waits for the answer. */
    public char ask(char request, int fd) throws OsException {
        letter.buffer.put(0, (byte) request);
        check(LIBC.sendmsg(descriptor.fd(), header.carrying(fd).pointer(), MSG_NOSIGNAL), "sendmsg(%s)", request);
        long bytes = LIBC.recvmsg(descriptor.fd(), header.empty(1).pointer(), MSG_CMSG_CLOEXEC);
        if (check(bytes, "recvmsg()") == 0) {
            throw new OsException("recvmsg()", OsException.EPIPE);
        }
        passed = header.open();
        return (char) letter.buffer.get(0);
    }

    /** What came with the last answer, the caller's to close; null if there was none. */
    public Descriptor passed() {
        Descriptor result = passed;
        passed = null;
        return result;
    }

    /** Hangs up when the other process ends. */
    public int fd() {
        return descriptor.fd();
    }

    /** Whether the other process is there. */
    public boolean isConnected() {
        return poll.await(0) == 0;
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
