package org.xfrmbridge.daemon.os;

import org.xfrmbridge.daemon.os.Native.Memory;

/**
 * An array of {@code struct mmsghdr} of a 64-bit system, as sendmmsg(2) and recvmmsg(2) want it: each with room for an
 * address, for control data, and with one part of the data memory. Offsets of control data and addresses are into
 * {@link #memory}. One thread.
 */
final class MessageVector {
    /** {@code struct cmsghdr}: a length of 8 bytes that counts itself, level, type; then data, padded to 8 bytes. */
    static final int CMSG_BYTES = 16;

    static final int CMSG_LEVEL = 8;
    static final int CMSG_TYPE = 12;

    /** {@code struct sockaddr_in6}; that of IPv4 is shorter. */
    static final int ADDRESS_BYTES = 28;

    static final int SOCKADDR_IN_BYTES = 16;
    static final int SOCKADDR_LL_BYTES = 20;
    static final int PORT = 2;
    static final int IPV4_ADDRESS = 4;
    static final int IPV6_ADDRESS = 8;
    static final int LINK_PROTOCOL = 2;
    static final int LINK_INDEX = 4;
    static final int LINK_ADDRESS_BYTES = 11;
    static final int LINK_ADDRESS = 12;

    private static final int HEADER_BYTES = 64;
    private static final int NAME_LENGTH = 8;
    private static final int PART = 16;
    private static final int PARTS = 24;
    private static final int CONTROL = 32;
    private static final int CONTROL_LENGTH = 40;
    private static final int FLAGS = 48;
    private static final int LENGTH = 56;
    private static final int IOVEC_BYTES = 16;
    private static final int NAME_SPACE = 32;

    final Memory memory;
    final Memory data;
    private final int slotBytes;
    private final int controlBytes;
    private final int namesAt;
    private final int slots;

    MessageVector(int slots, int dataBytes, int controlBytes) {
        this.controlBytes = controlBytes;
        slotBytes = IOVEC_BYTES + NAME_SPACE + controlBytes;
        namesAt = slots * HEADER_BYTES;
        memory = new Memory(namesAt + slots * slotBytes);
        data = new Memory(dataBytes);
        this.slots = slots;
        long address = memory.pointer;
        for (int slot = 0; slot < slots; slot++) {
            int header = slot * HEADER_BYTES;
            memory.buffer
                    .putLong(header, address + addressAt(slot))
                    .putLong(header + PART, address + partAt(slot))
                    .putLong(header + PARTS, 1)
                    .putLong(header + CONTROL, address + controlAt(slot));
        }
    }

    int slots() {
        return slots;
    }

    /** From here on, for a system call. */
    long header(int slot) {
        return memory.pointer + (long) slot * HEADER_BYTES;
    }

    private int partAt(int slot) {
        return namesAt + slot * slotBytes;
    }

    int addressAt(int slot) {
        return partAt(slot) + IOVEC_BYTES;
    }

    int controlAt(int slot) {
        return addressAt(slot) + NAME_SPACE;
    }

    /** Where in the data memory a message's bytes are, or may be put. */
    void setPart(int slot, int at, int bytes) {
        memory.buffer.putLong(partAt(slot), data.pointer + at).putLong(partAt(slot) + 8, bytes);
    }

    void setLengths(int slot, int nameBytes, int usedControlBytes) {
        int header = slot * HEADER_BYTES;
        memory.buffer.putInt(header + NAME_LENGTH, nameBytes).putLong(header + CONTROL_LENGTH, usedControlBytes);
    }

    /** Before a message is received: all room is free. */
    void empty(int slot) {
        setLengths(slot, ADDRESS_BYTES, controlBytes);
    }

    /** Of the message received: bytes of data that are there. */
    int length(int slot) {
        return memory.buffer.getInt(slot * HEADER_BYTES + LENGTH);
    }

    /** What the kernel says of the message received, as MSG_TRUNC. */
    int flags(int slot) {
        return memory.buffer.getInt(slot * HEADER_BYTES + FLAGS);
    }

    /** Of the message received: where its control data ends. */
    int controlEnd(int slot) {
        long bytes = memory.buffer.getLong(slot * HEADER_BYTES + CONTROL_LENGTH);
        return controlAt(slot) + Math.clamp(bytes, 0, controlBytes);
    }
}
