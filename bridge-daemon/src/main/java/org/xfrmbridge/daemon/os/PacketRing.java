package org.xfrmbridge.daemon.os;

import static org.xfrmbridge.daemon.os.Native.LIBC;
import static org.xfrmbridge.daemon.os.Native.check;

import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.xfrmbridge.daemon.os.Native.Memory;

/**
 * Takes the ESP packets that arrive from memory that the kernel puts them in, PACKET_RX_RING of packet(7), version 2:
 * no system call for a packet, and none to be woken while more come. The host's stack gets them, too, unless a rule at
 * ingress keeps them from it. Taken are whole frames without a VLAN tag, in which ESP follows the IP header, which in
 * IPv4 has no options, and no fragments. What comes while the ring is full is lost.
 *
 * <p>One thread; {@link #close} when it takes no more.
 */
public final class PacketRing implements AutoCloseable {
    private static final int AF_PACKET = 17;
    private static final int SOCK_RAW_CLOEXEC_NONBLOCK = 3 | 0x80000 | 0x800;
    private static final int ETH_P_ALL = 0x0003;
    private static final int ALL_INTERFACES = 0;
    private static final int SOL_PACKET = 263;
    private static final int PACKET_RX_RING = 5;
    private static final int PACKET_STATISTICS = 6;
    private static final int PACKET_VERSION = 10;
    private static final int PACKET_IGNORE_OUTGOING = 23;
    private static final int TPACKET_V2 = 1;
    private static final int SO_ATTACH_FILTER = 26;
    private static final int PROT_READ_WRITE = 0x1 | 0x2;
    private static final int MAP_SHARED = 0x1;

    private static final int BLOCK_BYTES = 1 << 16;

    /** Some 2,500 packets of 1,500 bytes: a burst may wait some milliseconds while its thread has no core. */
    private static final int BLOCKS = 64;

    private static final int RING_BYTES = BLOCKS * BLOCK_BYTES;
    /** In front of an IP packet: {@code struct tpacket2_hdr}, {@code struct sockaddr_ll} and the link header. */
    private static final int ROOM_BEFORE_IP = 80;

    /** So that slots begin at a line of the processor's cache. */
    private static final int ALIGNMENT = 64;

    private static final int STATUS = 0;
    private static final int FRAME_BYTES = 8;
    private static final int FRAME_AT = 12;
    /** In {@code struct sockaddr_ll}, behind {@code struct tpacket2_hdr}. */
    private static final int IFINDEX = 32 + MessageVector.LINK_INDEX;

    private static final int OF_KERNEL = 0;
    private static final int OF_USER = 1;

    private final Descriptor descriptor;
    private final int mostPacketBytes;
    private final int slotBytes;
    private final int slotsInBlock;
    private final long address;
    private final ByteBuffer memory;
    private int block;
    private int slot;
    private long missed;

    /**
     * Of all that arrives on an interface, before rules see it. EPERM without CAP_NET_RAW.
     *
     * @param mostPacketBytes of an IP packet: longer ones are not taken, nor those for which no ring has room
     */
    public static PacketRing of(int ifindex, int mostPacketBytes) throws OsException {
        int most = Math.min(mostPacketBytes, BLOCK_BYTES - ROOM_BEFORE_IP);
        return new PacketRing(most, ETH_P_ALL, ifindex, EspFilter.program(most));
    }

    /**
     * Of all that has passed the rules at ingress of its interface, whichever that is, and was given a sign by one of
     * them. EPERM without CAP_NET_RAW.
     *
     * @param type of the frame, of IPv4 or IPv6
     * @param mark and the type of packet ({@code PACKET_} of packet(7)) that are the sign
     */
    public static PacketRing ofSigned(int type, int mark, int packetType, int mostPacketBytes) throws OsException {
        Memory filter = EspFilter.ofSigned(mark, packetType, mostPacketBytes);
        return new PacketRing(mostPacketBytes, type, ALL_INTERFACES, filter);
    }

    private PacketRing(int mostPacketBytes, int type, int ifindex, Memory filter) throws OsException {
        this.mostPacketBytes = mostPacketBytes;
        slotBytes = (ROOM_BEFORE_IP + mostPacketBytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        slotsInBlock = BLOCK_BYTES / slotBytes;
        descriptor = new Descriptor(check(LIBC.socket(AF_PACKET, SOCK_RAW_CLOEXEC_NONBLOCK, 0), "socket(AF_PACKET)"));
        try {
            address = open(type, ifindex, filter);
        } catch (OsException e) {
            descriptor.close();
            throw e;
        }
        memory = Memory.mapped(address, RING_BYTES);
    }

    private long open(int type, int ifindex, Memory filter) throws OsException {
        set(PACKET_VERSION, Memory.ofInt(TPACKET_V2), 4, "PACKET_VERSION");
        set(PACKET_IGNORE_OUTGOING, Memory.ofInt(1), 4, "PACKET_IGNORE_OUTGOING");
        Memory request = new Memory(16);
        request.buffer
                .putInt(0, BLOCK_BYTES)
                .putInt(4, BLOCKS)
                .putInt(8, slotBytes)
                .putInt(12, BLOCKS * slotsInBlock);
        set(PACKET_RX_RING, request, 16, "PACKET_RX_RING");
        check(
                LIBC.setsockopt(fd(), IpSocket.SOL_SOCKET, SO_ATTACH_FILTER, filter.pointer, EspFilter.PROGRAM_BYTES),
                "setsockopt(SO_ATTACH_FILTER)");
        long at = check(LIBC.mmap(0, RING_BYTES, PROT_READ_WRITE, MAP_SHARED, fd(), 0), "mmap(AF_PACKET)");
        Memory to = new Memory(MessageVector.SOCKADDR_LL_BYTES);
        to.buffer
                .order(ByteOrder.BIG_ENDIAN)
                .putShort(MessageVector.LINK_PROTOCOL, (short) type)
                .order(ByteOrder.nativeOrder())
                .putShort(0, (short) AF_PACKET)
                .putInt(MessageVector.LINK_INDEX, ifindex);
        check(LIBC.bind(fd(), to.pointer, MessageVector.SOCKADDR_LL_BYTES), "bind(AF_PACKET, interface %s)", ifindex);
        return at;
    }

    private void set(int option, Memory value, int bytes, String name) throws OsException {
        check(LIBC.setsockopt(fd(), SOL_PACKET, option, value.pointer, bytes), "setsockopt(%s)", name);
    }

    /** Longest IP packet that is taken. */
    public int mostPacketBytes() {
        return mostPacketBytes;
    }

    /** How many packets came while the ring was full. One thread, any. */
    public long missed() {
        Memory counts = new Memory(8);
        Memory length = Memory.ofInt(8);
        // To ask sets them back.
        if (LIBC.getsockopt(fd(), SOL_PACKET, PACKET_STATISTICS, counts.pointer, length.pointer) == 0) {
            missed += Integer.toUnsignedLong(counts.buffer.getInt(4));
        }
        return missed;
    }

    private int at() {
        return at(block, slot);
    }

    private int at(int ofBlock, int ofSlot) {
        return ofBlock * BLOCK_BYTES + ofSlot * slotBytes;
    }

    /** How many frames are there now, counted up to a number. */
    public int waiting(int most) {
        int frames = 0;
        int ofBlock = block;
        int ofSlot = slot;
        while (frames < most && (memory.getInt(at(ofBlock, ofSlot) + STATUS) & OF_USER) != 0) {
            frames++;
            ofSlot++;
            if (ofSlot == slotsInBlock) {
                ofSlot = 0;
                ofBlock = ofBlock + 1 == BLOCKS ? 0 : ofBlock + 1;
            }
        }
        return frames;
    }

    /** Length of the next frame; 0 if none is there. */
    public int next() {
        int at = at();
        int status = memory.getInt(at + STATUS);
        // What the kernel has written before it gave the slot is read after this.
        VarHandle.acquireFence();
        return (status & OF_USER) == 0 ? 0 : memory.getInt(at + FRAME_BYTES);
    }

    /** Copies the frame that {@link #next} has told of. */
    public void copy(byte[] into, int offset) {
        int at = at();
        memory.get(
                at + Short.toUnsignedInt(memory.getShort(at + FRAME_AT)),
                into,
                offset,
                memory.getInt(at + FRAME_BYTES));
    }

    /** Index of the interface that that frame came by. */
    public int ifindex() {
        return memory.getInt(at() + IFINDEX);
    }

    /** Done with that frame: its memory is the kernel's again. */
    public void give() {
        VarHandle.releaseFence();
        memory.putInt(at() + STATUS, OF_KERNEL);
        slot++;
        if (slot == slotsInBlock) {
            slot = 0;
            block = block + 1 == BLOCKS ? 0 : block + 1;
        }
    }

    /** Readable while frames wait. */
    public int fd() {
        return descriptor.fd();
    }

    @Override
    public void close() {
        LIBC.munmap(address, RING_BYTES);
        descriptor.close();
    }
}
