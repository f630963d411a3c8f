package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;
import static org.xfrmbridge.daemon.os.Native.check;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.xfrmbridge.daemon.os.Native.Memory;

/**
 * A TAP device, linux/if_tun.h, made if it is not there and then persistent: it stays when its descriptors are closed.
 * Frames pass through native memory of the caller's ({@link Channel}), so that several threads may use one device.
 *
 * <p>With several queues the kernel gives all frames of a flow to one, by their hash. It would give them to the queue
 * by which frames of the other direction were written last, and so change it at any moment; what is written by a queue
 * that is detached does not count for that.
 */
public final class TapDevice implements AutoCloseable {
    /**
     * Which frames the device carries; the checksums and sizes then stand in front of each, {@code struct
     * virtio_net_hdr}.
     */
    public enum Offload {
        /** Every frame is whole, at most a MTU long, and has nothing in front of it. */
        NONE,
        /** Super-frames and unfinished checksums both ways: of TCP, and of UDP where the kernel has such, since 6.2. */
        SUPER_FRAMES
    }

    /**
     * {@code struct virtio_net_hdr}: what stands in front of a frame with {@link Offload#SUPER_FRAMES}, in native
     * order.
     */
    public static final int VIRTIO_HEADER_BYTES = 10;

    /** A super-frame is at most a full IPv6 packet and its Ethernet header with two VLAN tags. */
    public static final int MAX_FRAME_BYTES = 65_536 + 40 + 22;

    private static final long TUNSETIFF = 0x400454caL;
    private static final long TUNSETIFINDEX = 0x400454daL;
    private static final long TUNSETPERSIST = 0x400454cbL;
    private static final long TUNSETOFFLOAD = 0x400454d0L;
    private static final long TUNSETQUEUE = 0x400454d9L;
    private static final int IFF_TAP = 0x2;
    private static final int IFF_NO_PI = 0x1000;
    private static final int IFF_VNET_HDR = 0x4000;
    private static final int IFF_MULTI_QUEUE = 0x100;
    private static final int IFF_DETACH_QUEUE = 0x400;
    private static final int OFFLOAD_CSUM_TSO4_TSO6 = 0x1 | 0x2 | 0x4;
    private static final int OFFLOAD_USO4_USO6 = 0x20 | 0x40;
    private static final int IFREQ_BYTES = 40;
    private static final int MAX_NAME_BYTES = 15;
    private static final Path DEVICES = Path.of("/proc/thread-self/net/dev");
    /** Behind eight of what the host receives: bytes, packets, errors and drops of what it sends, which we read. */
    private static final int DROPPED_COLUMN = 8 + 3;

    private final String name;
    private final Offload offload;
    /** Whether the device may have several queues, which was settled when it was made. */
    private final boolean isMultiQueue;

    private final Descriptor writing;
    private final List<Descriptor> queues = new ArrayList<>();
    private boolean carriesDatagrams;
    private long droppedBefore;

    private TapDevice(String name, Offload offload, boolean isMultiQueue, int queueCount) throws OsException {
        this.name = name;
        this.offload = offload;
        this.isMultiQueue = isMultiQueue;
        for (int i = 0; i < queueCount; i++) {
            queues.add(Descriptor.open("/dev/net/tun", Descriptor.O_RDWR | Descriptor.O_NONBLOCK));
        }
        writing = queueCount == 1
                ? queues.getFirst()
                : Descriptor.open("/dev/net/tun", Descriptor.O_RDWR | Descriptor.O_NONBLOCK);
    }

    /** The same with one queue. */
    public static TapDevice open(String name, Offload offload) throws OsException {
        return open(name, offload, 1);
    }

    /**
     * Opens the device of that name. EBUSY if another process has it open; EPERM without CAP_NET_ADMIN.
     *
     * @param queueCount how many are wanted: one that is there already, and was made with one, has one
     */
    public static TapDevice open(String name, Offload offload, int queueCount) throws OsException {
        try {
            return open(name, offload, queueCount > 1, queueCount);
        } catch (OsException e) {
            if (e.errno() != OsException.EINVAL) {
                throw e;
            }
            return open(name, offload, queueCount == 1, 1);
        }
    }

    private static TapDevice open(String name, Offload offload, boolean isMultiQueue, int queueCount)
            throws OsException {
        TapDevice device = new TapDevice(name, offload, isMultiQueue, queueCount);
        try {
            device.make();
            return device;
        } catch (OsException e) {
            device.close();
            throw e;
        }
    }

    private void make() throws OsException {
        attach(writing);
        if (queues.size() > 1) {
            Memory request = request(IFF_DETACH_QUEUE);
            check(LIBC.ioctl(writing.fd(), TUNSETQUEUE, request.pointer), "ioctl(TUNSETQUEUE, %s)", name);
            for (Descriptor queue : queues) {
                attach(queue);
            }
        }
        settle();
    }

    private void attach(Descriptor queue) throws OsException {
        int flags = IFF_TAP
                | IFF_NO_PI
                | (offload == Offload.SUPER_FRAMES ? IFF_VNET_HDR : 0)
                | (isMultiQueue ? IFF_MULTI_QUEUE : 0);
        check(LIBC.ioctl(queue.fd(), TUNSETIFF, request(flags).pointer), "ioctl(TUNSETIFF, %s)", name);
    }

    private Memory request(int flags) {
        Memory request = new Memory(IFREQ_BYTES);
        byte[] nameBytes = name.getBytes(StandardCharsets.US_ASCII);
        request.buffer.put(0, nameBytes, 0, Math.min(nameBytes.length, MAX_NAME_BYTES));
        request.buffer.putShort(MAX_NAME_BYTES + 1, (short) flags);
        return request;
    }

    private void settle() throws OsException {
        // What the device may give; a kernel that knows it takes it, too.
        carriesDatagrams = offload == Offload.SUPER_FRAMES
                && LIBC.ioctl(writing.fd(), TUNSETOFFLOAD, OFFLOAD_CSUM_TSO4_TSO6 | OFFLOAD_USO4_USO6) == 0;
        if (!carriesDatagrams) {
            control(TUNSETOFFLOAD, "TUNSETOFFLOAD", offload == Offload.NONE ? 0 : OFFLOAD_CSUM_TSO4_TSO6);
        }
        control(TUNSETPERSIST, "TUNSETPERSIST", 1);
        droppedBefore = dropped();
    }

    /**
     * After somebody has removed the device: one of the same name and number, at the same descriptors. Its settings are
     * those of a new one.
     */
    public void makeAgain(int index) throws OsException {
        check(
                LIBC.ioctl(writing.fd(), TUNSETIFINDEX, Memory.ofInt(index).pointer),
                "ioctl(TUNSETIFINDEX, %s, %s)",
                name,
                index);
        make();
    }

    private void control(long request, String requestName, long value) throws OsException {
        // The argument is the value itself, not an address.
        int result = LIBC.ioctl(writing.fd(), request, value);
        check(result, "ioctl(%s, %s, %s)", requestName, name, value);
    }

    public String name() {
        return name;
    }

    public Offload offload() {
        return offload;
    }

    /**
     * Whether it takes and gives datagrams of one UDP flow as a super-frame, VIRTIO_NET_HDR_GSO_UDP_L4: since Linux
     * 6.2.
     */
    public boolean carriesDatagrams() {
        return carriesDatagrams;
    }

    /** How many frames the device could not keep for who reads, since it was opened. */
    public long missed() {
        return Math.max(0, dropped() - droppedBefore);
    }

    /** Also while nobody had it open. 0 where the kernel does not say. */
    private long dropped() {
        try (Stream<String> devices = Files.lines(DEVICES)) {
            return devices.map(String::strip)
                    .filter(device -> device.startsWith(name + ":"))
                    .mapToLong(device -> Long.parseLong(
                            device.substring(name.length() + 1).strip().split(" +")[DROPPED_COLUMN]))
                    .findFirst()
                    .orElse(0);
        } catch (IOException | RuntimeException e) {
            return 0;
        }
    }

    public int queueCount() {
        return queues.size();
    }

    /** By which a queue is read. */
    public int fd(int queue) {
        return queues.get(queue).fd();
    }

    /** The device stays when its descriptors are closed; its carrier goes. */
    @Override
    public void close() {
        queues.forEach(Descriptor::close);
        writing.close();
    }

    /** One thread's way to the device: native memory for one frame, and the two calls. */
    public final class Channel {
        private final Memory memory = new Memory(VIRTIO_HEADER_BYTES + MAX_FRAME_BYTES);
        private final int readFd;

        /** Reads the first queue. */
        public Channel() {
            this(0);
        }

        public Channel(int queue) {
            readFd = fd(queue);
        }

        /** What was read, or will be written: in native order, starting with the header if the device has one. */
        public ByteBuffer buffer() {
            return memory.buffer;
        }

        /** Reads one frame to the buffer's start without waiting; its size, or a value below 1 if there is none. */
        public int read() {
            return (int) Native.FAST.read(readFd, memory.pointer, memory.buffer.capacity());
        }

        /** Writes the buffer's first bytes as one frame. A full or closed device drops it: false. */
        public boolean write(int bytes) {
            return Native.FAST.write(writing.fd(), memory.pointer, bytes) == bytes;
        }
    }
}
