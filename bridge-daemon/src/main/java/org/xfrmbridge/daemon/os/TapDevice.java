package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;
import static org.xfrmbridge.daemon.os.Native.check;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.xfrmbridge.daemon.os.Native.Memory;

/**
 * A TAP device, linux/if_tun.h, made if it is not there and then persistent: it stays when its descriptor is closed.
 * Frames pass through native memory of the caller's ({@link Channel}), so that several threads may use one device.
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
    private static final int IFF_TAP = 0x2;
    private static final int IFF_NO_PI = 0x1000;
    private static final int IFF_VNET_HDR = 0x4000;
    private static final int OFFLOAD_CSUM_TSO4_TSO6 = 0x1 | 0x2 | 0x4;
    private static final int OFFLOAD_USO4_USO6 = 0x20 | 0x40;
    private static final int IFREQ_BYTES = 40;
    private static final int MAX_NAME_BYTES = 15;
    private static final Path DEVICES = Path.of("/proc/thread-self/net/dev");
    /** Behind eight of what the host receives: bytes, packets, errors and drops of what it sends, which we read. */
    private static final int DROPPED_COLUMN = 8 + 3;

    private final Descriptor descriptor;
    private final String name;
    private final Offload offload;
    private boolean carriesDatagrams;
    private long droppedBefore;

    private TapDevice(Descriptor descriptor, String name, Offload offload) {
        this.descriptor = descriptor;
        this.name = name;
        this.offload = offload;
    }

    /** Opens the device of that name. EBUSY if another process has it open; EPERM without CAP_NET_ADMIN. */
    public static TapDevice open(String name, Offload offload) throws OsException {
        Descriptor descriptor = Descriptor.open("/dev/net/tun", Descriptor.O_RDWR | Descriptor.O_NONBLOCK);
        try {
            TapDevice device = new TapDevice(descriptor, name, offload);
            device.make();
            return device;
        } catch (OsException e) {
            descriptor.close();
            throw e;
        }
    }

    private void make() throws OsException {
        Memory request = new Memory(IFREQ_BYTES);
        byte[] nameBytes = name.getBytes(StandardCharsets.US_ASCII);
        request.buffer.put(0, nameBytes, 0, Math.min(nameBytes.length, MAX_NAME_BYTES));
        int flags = IFF_TAP | IFF_NO_PI | (offload == Offload.SUPER_FRAMES ? IFF_VNET_HDR : 0);
        request.buffer.putShort(MAX_NAME_BYTES + 1, (short) flags);
        check(LIBC.ioctl(descriptor.fd(), TUNSETIFF, request.pointer), "ioctl(TUNSETIFF, %s)", name);
        // What the device may give; a kernel that knows it takes it, too.
        carriesDatagrams = offload == Offload.SUPER_FRAMES
                && LIBC.ioctl(descriptor.fd(), TUNSETOFFLOAD, OFFLOAD_CSUM_TSO4_TSO6 | OFFLOAD_USO4_USO6) == 0;
        if (!carriesDatagrams) {
            control(TUNSETOFFLOAD, "TUNSETOFFLOAD", offload == Offload.NONE ? 0 : OFFLOAD_CSUM_TSO4_TSO6);
        }
        control(TUNSETPERSIST, "TUNSETPERSIST", 1);
        droppedBefore = dropped();
    }

    /**
     * After somebody has removed the device: one of the same name and number, at the same descriptor. Its settings are
     * those of a new one.
     */
    public void makeAgain(int index) throws OsException {
        check(
                LIBC.ioctl(descriptor.fd(), TUNSETIFINDEX, Memory.ofInt(index).pointer),
                "ioctl(TUNSETIFINDEX, %s, %s)",
                name,
                index);
        make();
    }

    private void control(long request, String requestName, long value) throws OsException {
        // The argument is the value itself, not an address.
        int result = LIBC.ioctl(descriptor.fd(), request, value);
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

    public int fd() {
        return descriptor.fd();
    }

    /** The device stays when the descriptor is closed; its carrier goes. */
    @Override
    public void close() {
        descriptor.close();
    }

    /** One thread's way to the device: native memory for one frame, and the two calls. */
    public final class Channel {
        private final Memory memory = new Memory(VIRTIO_HEADER_BYTES + MAX_FRAME_BYTES);

        /** What was read, or will be written: in native order, starting with the header if the device has one. */
        public ByteBuffer buffer() {
            return memory.buffer;
        }

        /** Reads one frame to the buffer's start without waiting; its size, or a value below 1 if there is none. */
        public int read() {
            return (int) Native.FAST.read(descriptor.fd(), memory.pointer, memory.buffer.capacity());
        }

        /** Writes the buffer's first bytes as one frame. A full or closed device drops it: false. */
        public boolean write(int bytes) {
            return Native.FAST.write(descriptor.fd(), memory.pointer, bytes) == bytes;
        }
    }
}
