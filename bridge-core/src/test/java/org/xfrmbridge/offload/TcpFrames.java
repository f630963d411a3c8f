package org.xfrmbridge.offload;

import java.nio.ByteBuffer;

/** TCP in Ethernet frames, written the slow and plain way: checksums are added up word by word. */
final class TcpFrames {
    static final int ACK = 0x10;
    static final int PSH = 0x08;
    static final int FIN = 0x01;
    static final int CWR = 0x80;
    static final int IDENTIFICATION = 0xfffe;
    private static final int OPTION_BYTES = 12;

    private TcpFrames() {}

    static int tcpStart(int version) {
        return version == 4 ? 34 : 54;
    }

    static byte[] frame(int version, int sequence, int flags, byte[] payload) {
        int tcpBytes = 20 + OPTION_BYTES + payload.length;
        byte[] frame = new byte[tcpStart(version) + tcpBytes];
        ByteBuffer out = ByteBuffer.wrap(frame);
        out.putLong(0x0202_0202_0202_0303L).putInt(0x0303_0303).putShort((short) (version == 4 ? 0x0800 : 0x86dd));
        if (version == 4) {
            out.put((byte) 0x45)
                    .put((byte) 2)
                    .putShort((short) (20 + tcpBytes))
                    .putShort((short) IDENTIFICATION)
                    .putShort((short) 0x4000);
            out.put((byte) 64)
                    .put((byte) 6)
                    .putShort((short) 0)
                    .putInt(0x0a000001)
                    .putInt(0x0a000002);
        } else {
            out.putInt(0x6020_0000).putShort((short) tcpBytes).put((byte) 6).put((byte) 64);
            out.putLong(0xfd00_0000_0000_0000L)
                    .putLong(1)
                    .putLong(0xfd00_0000_0000_0000L)
                    .putLong(2);
        }
        out.putShort((short) 5201).putShort((short) 40000).putInt(sequence).putInt(77);
        out.put((byte) ((20 + OPTION_BYTES) / 4 << 4))
                .put((byte) flags)
                .putShort((short) 501)
                .putInt(0);
        out.putInt(0x0101_080a).putInt(1000).putInt(2000).put(payload);
        seal(version, frame);
        return frame;
    }

    static void setIdentification(int version, byte[] frame, int identification) {
        if (version == 4) {
            ByteBuffer.wrap(frame).putShort(18, (short) identification);
            seal(version, frame);
        }
    }

    /** Sets all checksums. */
    static void seal(int version, byte[] frame) {
        ByteBuffer out = ByteBuffer.wrap(frame);
        if (version == 4) {
            out.putShort(24, (short) 0);
            out.putShort(24, (short) ~fold(sum(frame, 14, 34)));
        }
        int tcp = tcpStart(version);
        out.putShort(tcp + 16, (short) 0);
        out.putShort(tcp + 16, (short) ~fold(pseudo(version, frame) + sum(frame, tcp, frame.length)));
    }

    static byte[] withPartialChecksum(int version, byte[] frame) {
        byte[] partial = frame.clone();
        ByteBuffer.wrap(partial).putShort(tcpStart(version) + 16, (short) fold(pseudo(version, frame)));
        return partial;
    }

    private static long pseudo(int version, byte[] frame) {
        int addresses = version == 4 ? 26 : 22;
        return sum(frame, addresses, tcpStart(version)) + 6 + frame.length - tcpStart(version);
    }

    private static long sum(byte[] data, int from, int to) {
        long sum = 0;
        for (int i = from; i < to; i += 2) {
            sum += (data[i] & 0xff) << 8 | (i + 1 < to ? data[i + 1] & 0xff : 0);
        }
        return sum;
    }

    private static int fold(long sum) {
        long folded = sum;
        while (folded > 0xffff) {
            folded = (folded >> 16) + (folded & 0xffff);
        }
        return (int) folded;
    }
}
