package org.xfrmbridge.daemon.port;

import static org.xfrmbridge.daemon.os.StackSigns.ARRIVAL_MAC;
import static org.xfrmbridge.daemon.os.StackSigns.INDEX_MAC;
import static org.xfrmbridge.daemon.os.StackSigns.MARK_MAC;
import static org.xfrmbridge.daemon.os.StackSigns.TRANSLATED_MARK_MAC;
import static org.xfrmbridge.daemon.os.StackSigns.UNANSWERED_MARK_MAC;

import java.nio.ByteOrder;
import java.util.Map;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.TapDevice;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.io.PacketBuffer.Origin;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.io.PacketPort;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Ethernet;
import org.xfrmbridge.net.MacAddress;

/**
 * The TAP by which the host's stack hands packets over and takes them back. There are no neighbours on it: the link
 * addresses carry what a frame has no place for. Rules of the packet filter write and read them
 * ({@link org.xfrmbridge.daemon.os.StackSigns}).
 *
 * <pre>
 *              destination                    source
 *   from host  02:58 to 5a:mark               02:49:interface, if it was about to leave by one, else anything
 *   to host    the TAP's own                  02:58:mark
 *     in a VRF that of the VRF's device       the low bytes of its index, mark
 *     by a device 02:4f:its index             02:58:mark
 * </pre>
 */
public final class StackTapPort implements PacketPort {
    private final TapPort tap;
    private final long tapMac;
    private final int userBits;
    private final int openedMark;
    private volatile Map<Integer, Long> vrfs = Map.of();

    /**
     * @param queue of the device, by which packets are received
     * @param tapMac link address of the device: the host takes nothing else for its own
     * @param markBit the bit of marks that is the bridge's; what it hands on has it clear
     * @param openedMark bits that are set in the mark of every packet to the host
     */
    public StackTapPort(TapDevice device, int queue, long tapMac, int markBit, int openedMark) throws OsException {
        tap = TapPort.ofHost(device, queue);
        this.tapMac = tapMac;
        userBits = ~markBit;
        this.openedMark = openedMark;
    }

    @Override
    public void receive(PacketPool pool, PacketBatch into) {
        int first = into.size();
        try {
            tap.receive(pool, into);
        } finally {
            for (int i = first; i < into.size(); i++) {
                readLink(into.get(i));
            }
        }
    }

    private void readLink(PacketBuffer frame) {
        if (frame.length >= Ethernet.HEADER_BYTES) {
            int prefix = Bytes.u16(frame.data, frame.offset + Ethernet.DESTINATION);
            if (prefix == ARRIVAL_MAC) {
                // What was opened, and the device that it was to come in by is not there: it is not to leave again.
                frame.length = 0;
                return;
            }
            frame.origin = origin(prefix);
            frame.mark = frame.origin == Origin.BRIDGE ? 0 : number(frame, Ethernet.DESTINATION, prefix) & userBits;
            frame.ifindex = isOwn(frame) ? 0 : number(frame, Ethernet.SOURCE, INDEX_MAC);
        }
    }

    /** The device's own address may begin like one that has an interface. */
    private boolean isOwn(PacketBuffer frame) {
        return MacAddress.read(frame.data, frame.offset + Ethernet.SOURCE) == tapMac;
    }

    /** What did not come by the rules is nobody's. */
    private static Origin origin(int prefix) {
        return switch (prefix) {
            case MARK_MAC -> Origin.STACK;
            case UNANSWERED_MARK_MAC -> Origin.STACK_UNANSWERED;
            case TRANSLATED_MARK_MAC -> Origin.STACK_TRANSLATED;
            default -> Origin.BRIDGE;
        };
    }

    private static int number(PacketBuffer frame, int address, int prefix) {
        int at = frame.offset + address;
        return Bytes.u16(frame.data, at) == prefix ? inOrder(Bytes.i32(frame.data, at + 2)) : 0;
    }

    /** Rules of the packet filter copy a mark or an index as it is in memory. */
    private static int inOrder(int number) {
        return ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? number : Integer.reverseBytes(number);
    }

    /** Link addresses of the devices of all VRFs, by their indexes, from now on. Any thread. */
    public void setVrfs(Map<Integer, Long> macs) {
        vrfs = Map.copyOf(macs);
    }

    /** Writes the link addresses of the caller's frames, whose interface is the one to come in by; 0 for the TAP. */
    @Override
    public void send(PacketBatch batch) {
        for (int i = 0; i < batch.size(); i++) {
            writeLink(batch.get(i));
        }
        tap.send(batch);
    }

    private void writeLink(PacketBuffer frame) {
        // What is shorter, or lies about its size, is the device's to refuse.
        if (frame.length >= Ethernet.HEADER_BYTES && frame.offset + Ethernet.HEADER_BYTES <= frame.data.length) {
            int device = frame.ifindex;
            Long vrfMac = device == 0 ? null : vrfs.get(device);
            MacAddress.write(frame.data, frame.offset + Ethernet.DESTINATION, vrfMac == null ? mac(device) : vrfMac);
            Bytes.putU16(frame.data, frame.offset + Ethernet.SOURCE, vrfMac == null ? MARK_MAC : device & 0xffff);
            Bytes.putI32(frame.data, frame.offset + Ethernet.SOURCE + 2, inOrder((frame.mark | openedMark) & userBits));
        }
    }

    /** What names a device that is not there, as a VRF that has gone, is dropped. */
    private long mac(int device) {
        return device == 0 ? tapMac : (long) ARRIVAL_MAC << 32 | inOrder(device) & 0xffff_ffffL;
    }

    @Override
    public long missed() {
        return tap.missed();
    }

    @Override
    public boolean await(int timeoutMs) {
        return tap.await(timeoutMs);
    }

    @Override
    public void wake() {
        tap.wake();
    }

    /** Whether frames wait to be received. One other thread may ask. */
    public boolean isReadable() {
        return tap.isReadable();
    }

    /** Wakes the receiving thread; the device itself is its owner's to close. */
    @Override
    public void close() {
        tap.close();
    }
}
