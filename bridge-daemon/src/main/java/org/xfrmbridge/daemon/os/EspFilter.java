package org.xfrmbridge.daemon.os;

import java.util.Arrays;
import org.xfrmbridge.daemon.os.Native.Memory;

/**
 * Which frames a {@link PacketRing} takes, as a program of classic BPF, linux/filter.h: ESP right behind an IP header
 * without options, no fragment, no VLAN tag, no longer than there is room for. Rules of nftables that say the same are
 * in {@code org.xfrmbridge.daemon.nft.PlainEsp}.
 */
final class EspFilter {
    /** {@code struct sock_fprog}: a count and an address. */
    static final int PROGRAM_BYTES = 16;

    private static final int INSTRUCTION_BYTES = 8;
    private static final int LOAD_WORD = 0x20;
    private static final int LOAD_HALF = 0x28;
    private static final int LOAD_BYTE = 0x30;
    private static final int IF_EQUAL = 0x15;
    private static final int IF_MORE = 0x25;
    private static final int IF_ANY_BIT = 0x45;
    private static final int RETURN = 0x06;
    // What the kernel knows of a frame beside its bytes.
    private static final int PACKET_TYPE = -0x1000 + 4;
    private static final int MARK = -0x1000 + 20;
    private static final int VLAN_TAG_PRESENT = -0x1000 + 48;

    private static final int ALL = 0x4_0000;

    // Offsets in a frame.
    private static final int TYPE = 12;
    private static final int IPV4_VERSION = 14;
    private static final int IPV4_LENGTH = 16;
    private static final int IPV4_FRAGMENT = 20;
    private static final int IPV4_PROTOCOL = 23;
    private static final int IPV6_LENGTH = 18;
    private static final int IPV6_NEXT_HEADER = 20;
    private static final int IPV6_HEADER_BYTES = 40;

    private static final int TYPE_IPV4 = 0x0800;
    private static final int TYPE_IPV6 = 0x86dd;
    private static final int IPV4_PLAIN = 0x45;
    private static final int MORE_FRAGMENTS_OR_OFFSET = 0x3fff;
    private static final int ESP = 50;

    private EspFilter() {}

    /** {@code struct sock_fprog}, with the instructions behind it. */
    static Memory program(int mostPacketBytes) {
        return program(plainEsp(mostPacketBytes));
    }

    /** The same, of frames alone that have a mark and a type that rules of nftables have given them. */
    static Memory ofSigned(int mark, int packetType, int mostPacketBytes) {
        int[][] sign = {
            {LOAD_WORD, MARK, 1, 1},
            {IF_EQUAL, mark, 2, 22},
            {LOAD_WORD, PACKET_TYPE, 3, 3},
            {IF_EQUAL, packetType, 4, 22},
        };
        int[][] plain = plainEsp(mostPacketBytes);
        int[][] code = Arrays.copyOf(sign, sign.length + plain.length);
        for (int i = 0; i < plain.length; i++) {
            code[sign.length + i] =
                    new int[] {plain[i][0], plain[i][1], plain[i][2] + sign.length, plain[i][3] + sign.length};
        }
        return program(code);
    }

    /** Operation, operand, and where to go on if it holds and if not; 17 takes the frame, 18 does not. */
    private static int[][] plainEsp(int mostPacketBytes) {
        return new int[][] {
            {LOAD_WORD, VLAN_TAG_PRESENT, 1, 1},
            {IF_EQUAL, 0, 2, 18},
            {LOAD_HALF, TYPE, 3, 3},
            {IF_EQUAL, TYPE_IPV4, 4, 12},
            {LOAD_BYTE, IPV4_VERSION, 5, 5},
            {IF_EQUAL, IPV4_PLAIN, 6, 18},
            {LOAD_HALF, IPV4_FRAGMENT, 7, 7},
            {IF_ANY_BIT, MORE_FRAGMENTS_OR_OFFSET, 18, 8},
            {LOAD_BYTE, IPV4_PROTOCOL, 9, 9},
            {IF_EQUAL, ESP, 10, 18},
            {LOAD_HALF, IPV4_LENGTH, 11, 11},
            {IF_MORE, mostPacketBytes, 18, 17},
            {IF_EQUAL, TYPE_IPV6, 13, 18},
            {LOAD_BYTE, IPV6_NEXT_HEADER, 14, 14},
            {IF_EQUAL, ESP, 15, 18},
            {LOAD_HALF, IPV6_LENGTH, 16, 16},
            {IF_MORE, mostPacketBytes - IPV6_HEADER_BYTES, 18, 17},
            {RETURN, ALL, 18, 18},
            {RETURN, 0, 19, 19},
        };
    }

    private static Memory program(int[][] code) {
        Memory program = new Memory(PROGRAM_BYTES + code.length * INSTRUCTION_BYTES);
        program.buffer.putShort(0, (short) code.length).putLong(8, program.pointer + PROGRAM_BYTES);
        for (int i = 0; i < code.length; i++) {
            int at = PROGRAM_BYTES + i * INSTRUCTION_BYTES;
            boolean jumps = code[i][0] == IF_EQUAL || code[i][0] == IF_MORE || code[i][0] == IF_ANY_BIT;
            program.buffer
                    .putShort(at, (short) code[i][0])
                    .put(at + 2, (byte) (jumps ? code[i][2] - i - 1 : 0))
                    .put(at + 3, (byte) (jumps ? code[i][3] - i - 1 : 0))
                    .putInt(at + 4, code[i][1]);
        }
        return program;
    }
}
