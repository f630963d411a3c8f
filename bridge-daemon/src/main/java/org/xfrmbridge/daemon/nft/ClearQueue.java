package org.xfrmbridge.daemon.nft;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.xfrmbridge.daemon.os.EventDescriptor;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.PollSet;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.netlink.nl.NetlinkErrors;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkReader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.xfrm.Direction;

/**
 * The packets that came in the clear and match a policy, each to be judged (linux/netfilter/nfnetlink_queue.h). A
 * packet that no verdict is given for, because nobody reads or too many wait, does not pass. Super-packets of the
 * host's stack come whole, cut at 64 KB, and checksums need not be finished. One thread judges; any may {@link #stop}
 * it.
 */
public final class ClearQueue implements AutoCloseable {
    /** Says whether a packet may go on. */
    public interface Judge {
        /**
         * @param direction IN for the host itself, FWD for what it forwards
         * @param frame with an Ethernet header without addresses, mark and interface set; good until the call returns
         */
        boolean isAllowed(Direction direction, PacketBuffer frame);
    }

    private static final int QUEUE_SUBSYSTEM = 3 << 8;
    private static final int PACKET = QUEUE_SUBSYSTEM;
    private static final int VERDICT = QUEUE_SUBSYSTEM | 1;
    private static final int CONFIGURE = QUEUE_SUBSYSTEM | 2;

    // enum nfqnl_attr_config
    private static final int COMMAND = 1;
    private static final int PARAMETERS = 2;
    private static final int MOST_WAITING = 3;
    private static final int MASK = 4;
    private static final int FLAGS = 5;
    private static final byte BIND = 1;
    private static final byte COPY_PACKETS = 2;
    private static final int WHOLE = 0xffff;
    private static final int WAITING_PACKETS = 4096;
    private static final int NO_FAIL_OPEN_BUT_SUPER_PACKETS = 4;
    private static final int FLAGS_THAT_COUNT = 1 | 2 | 4;

    // enum nfqnl_attr_type
    private static final int PACKET_HEADER = 1;
    private static final int VERDICT_HEADER = 2;
    private static final int PACKET_MARK = 3;
    private static final int IN_INDEX = 5;
    private static final int PAYLOAD = 10;
    private static final int HOOK_AT = 6;
    private static final int HOOK_INPUT = 1;

    private static final int DROP = 0;
    private static final int ACCEPT = 1;
    private static final int GENERIC_MESSAGE_BYTES = 4;
    private static final int ATTRIBUTE_BYTES = 4;
    private static final int ATTRIBUTE_TYPE = 0x3fff;
    private static final int VERDICT_BYTES = NetlinkHeader.BYTES + GENERIC_MESSAGE_BYTES + ATTRIBUTE_BYTES + 8;
    private static final int BATCH_PACKETS = 64;
    private static final int SOCKET_BYTES = 16 << 20;
    private static final int MOST_QUEUES = 1000;
    private static final int ETHERNET_BYTES = 14;
    /** A line for each: its number, and further on what it had no room for, and what its socket had none for. */
    private static final Path QUEUES = Path.of("/proc/thread-self/net/netfilter/nfnetlink_queue");

    private static final int DROPPED_COLUMN = 5;
    private static final int UNSENT_COLUMN = 6;

    private final NetlinkSocket socket;
    private final int number;
    private final int userBits;
    private final EventDescriptor closing = new EventDescriptor();
    private final PollSet poll = new PollSet();
    private final PacketBuffer frame = new PacketBuffer();
    private final ByteBuffer verdicts;
    private int id;
    private int hook;
    private volatile boolean closed;

    private ClearQueue(NetlinkSocket socket, int number, int userBits) throws OsException {
        this.socket = socket;
        this.number = number;
        this.userBits = userBits;
        verdicts = socket.prepareWrites(BATCH_PACKETS * VERDICT_BYTES);
        poll.add(socket.fd(), PollSet.READ);
        poll.add(closing.fd(), PollSet.READ);
    }

    /**
     * The first queue that nobody has, from {@link StackNames#FIRST_QUEUE} on.
     *
     * @param userBits of a packet's mark: the others are shown clear, as what is forwarded may be selected, too
     */
    public static ClearQueue open(int userBits) throws OsException {
        NetlinkSocket socket = NetlinkSocket.toNetfilter();
        try {
            socket.setReceiveBuffer(SOCKET_BYTES);
            for (int number = StackNames.FIRST_QUEUE; number < StackNames.FIRST_QUEUE + MOST_QUEUES; number++) {
                if (bind(socket, number)) {
                    return new ClearQueue(socket, number, userBits);
                }
            }
            throw new OsException("nfnetlink_queue: all numbers are taken", OsException.EBUSY);
        } catch (OsException e) {
            socket.close();
            throw e;
        }
    }

    /** How many packets did not pass, as too many waited. 0 where the kernel does not say. */
    public long missed() {
        try (Stream<String> queues = Files.lines(QUEUES)) {
            return queues.map(queue -> queue.strip().split(" +"))
                    .filter(queue -> queue[0].equals(Integer.toString(number)))
                    .mapToLong(queue -> Long.parseLong(queue[DROPPED_COLUMN]) + Long.parseLong(queue[UNSENT_COLUMN]))
                    .findFirst()
                    .orElse(0);
        } catch (IOException | RuntimeException e) {
            return 0;
        }
    }

    /** False if another one has it. */
    private static boolean bind(NetlinkSocket socket, int number) throws OsException {
        NetlinkWriter bind = configure(number);
        bind.putBytes(COMMAND, Rule.bytes(BIND, 0, 0, 0));
        int errno = errno(socket, bind);
        if (errno == OsException.EBUSY || errno == OsException.EPERM) {
            return false;
        }
        require(errno);
        NetlinkWriter parameters = configure(number);
        parameters.putBytes(PARAMETERS, Rule.bytes(0, 0, WHOLE >> 8, WHOLE, COPY_PACKETS));
        Batch.putNumber(parameters, MOST_WAITING, WAITING_PACKETS);
        Batch.putNumber(parameters, FLAGS, NO_FAIL_OPEN_BUT_SUPER_PACKETS);
        Batch.putNumber(parameters, MASK, FLAGS_THAT_COUNT);
        require(errno(socket, parameters));
        return true;
    }

    private static NetlinkWriter configure(int number) {
        NetlinkWriter out = new NetlinkWriter();
        Batch.begin(out, CONFIGURE, NetlinkHeader.ACK, 0, 0, number);
        return out;
    }

    private static int errno(NetlinkSocket socket, NetlinkWriter request) throws OsException {
        socket.send(request.end().toBytes());
        while (true) {
            NetlinkReader reader = new NetlinkReader(socket.receive());
            while (reader.next()) {
                if (reader.type() == NetlinkHeader.ERROR) {
                    return NetlinkErrors.errno(reader.payload());
                }
            }
        }
    }

    private static void require(int errno) throws OsException {
        if (errno != 0) {
            throw new OsException("nfnetlink_queue", errno);
        }
    }

    /** Which queue it is. */
    public int number() {
        return number;
    }

    /**
     * Judges what is there, up to a batch, without waiting. When a fault is thrown, the packet that showed it does not
     * pass.
     *
     * @return number of packets
     */
    public int doWork(Judge judge) {
        verdicts.clear();
        try {
            return judge(judge);
        } finally {
            if (verdicts.position() > 0) {
                socket.write(verdicts.position());
            }
        }
    }

    private int judge(Judge judge) {
        int packets = 0;
        while (packets < BATCH_PACKETS) {
            int bytes = socket.read();
            if (bytes < 0) {
                break;
            }
            if (take(socket.received(), bytes)) {
                packets++;
                boolean allowed = false;
                try {
                    allowed = judge.isAllowed(hook == HOOK_INPUT ? Direction.IN : Direction.FWD, frame);
                } finally {
                    putVerdict(allowed ? ACCEPT : DROP);
                }
            }
        }
        return packets;
    }

    /** Whether it is a packet. The kernel sends each in a datagram of its own; beside them are refusals of verdicts. */
    private boolean take(ByteBuffer datagram, int bytes) {
        int end = Math.min(bytes, datagram.getInt(0));
        if (end < NetlinkHeader.BYTES || datagram.getShort(4) != PACKET) {
            return false;
        }
        frame.reset();
        int at = NetlinkHeader.BYTES + GENERIC_MESSAGE_BYTES;
        boolean hasHeader = false;
        while (at + ATTRIBUTE_BYTES <= end) {
            int length = Short.toUnsignedInt(datagram.getShort(at));
            if (length < ATTRIBUTE_BYTES || at + length > end) {
                break;
            }
            int value = at + ATTRIBUTE_BYTES;
            switch (datagram.getShort(at + 2) & ATTRIBUTE_TYPE) {
                case PACKET_HEADER -> {
                    // Given back as it came.
                    id = datagram.getInt(value);
                    hook = datagram.get(value + HOOK_AT);
                    hasHeader = true;
                }
                case PACKET_MARK -> frame.mark = fromNetworkOrder(datagram.getInt(value)) & userBits;
                case IN_INDEX -> frame.ifindex = fromNetworkOrder(datagram.getInt(value));
                case PAYLOAD -> putFrame(datagram, value, length - ATTRIBUTE_BYTES);
                default -> {}
            }
            at += NetlinkHeader.align(length);
        }
        return hasHeader;
    }

    private static int fromNetworkOrder(int value) {
        return ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? value : Integer.reverseBytes(value);
    }

    private void putFrame(ByteBuffer datagram, int at, int bytes) {
        frame.ensureCapacity(ETHERNET_BYTES + bytes);
        frame.length = ETHERNET_BYTES + bytes;
        int start = frame.offset;
        Arrays.fill(frame.data, start, start + ETHERNET_BYTES, (byte) 0);
        datagram.get(at, frame.data, start + ETHERNET_BYTES, bytes);
        boolean isIpv4 = bytes > 0 && (frame.data[start + ETHERNET_BYTES] & 0xf0) == 0x40;
        frame.data[start + 12] = (byte) (isIpv4 ? 0x08 : 0x86);
        frame.data[start + 13] = (byte) (isIpv4 ? 0x00 : 0xdd);
    }

    /** {@code struct nfqnl_msg_verdict_hdr}, in network order; the queue's number is in the generic header. */
    private void putVerdict(int verdict) {
        verdicts.putInt(VERDICT_BYTES)
                .putShort((short) VERDICT)
                .putShort((short) NetlinkHeader.REQUEST)
                .putInt(0)
                .putInt(0);
        verdicts.put((byte) 0).put((byte) 0).put((byte) (number >> 8)).put((byte) number);
        verdicts.putShort((short) (ATTRIBUTE_BYTES + 8)).putShort((short) VERDICT_HEADER);
        verdicts.putInt(fromNetworkOrder(verdict)).putInt(id);
    }

    /**
     * Waits until there is a packet or the time is over; false if it was closed: then the queue is given up, and what
     * waits for a verdict does not pass.
     */
    public boolean await(int timeoutMs) {
        if (!closed) {
            poll.await(timeoutMs);
        }
        if (closed) {
            socket.close();
        }
        return !closed;
    }

    /** Wakes the judging thread. */
    @Override
    public void close() {
        closed = true;
        closing.signal();
    }
}
