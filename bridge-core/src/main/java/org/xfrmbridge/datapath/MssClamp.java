package org.xfrmbridge.datapath;

import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.Checksum;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.net.Tcp;

/**
 * Lowers the maximum segment size that a TCP connection begins with to what fits into a tunnel: RFC 9293 3.7.1, RFC
 * 6691. One that names none has the default, which is short enough.
 */
final class MssClamp {
    private MssClamp() {}

    /** Whether a whole packet begins a connection: SYN or its answer. */
    static boolean isSyn(IpPacket packet) {
        return packet.protocol == Tcp.PROTOCOL
                && !packet.fragment
                && packet.payloadBytes() >= Tcp.HEADER_BYTES
                && (packet.data()[packet.payload + Tcp.FLAGS] & Tcp.SYN) != 0;
    }

    /** @param mtuBytes the longest packet that fits */
    static void limit(IpPacket syn, int mtuBytes) {
        byte[] data = syn.data();
        int tcp = syn.payload;
        int end = Math.min(tcp + Tcp.headerBytes(data, tcp), syn.end());
        int at = tcp + Tcp.HEADER_BYTES;
        while (at + Tcp.OPTION_MSS_BYTES <= end && data[at] != Tcp.OPTION_END) {
            int bytes = data[at] == Tcp.OPTION_NOP ? 1 : Bytes.u8(data, at + 1);
            if (data[at] == Tcp.OPTION_MSS && bytes == Tcp.OPTION_MSS_BYTES) {
                int ipBytes = syn.isIpv4() ? Ipv4.HEADER_BYTES : Ipv6.HEADER_BYTES;
                lower(data, tcp, at + 2, Math.max(mtuBytes - ipBytes - Tcp.HEADER_BYTES, Tcp.LEAST_MSS));
                return;
            }
            at += Math.max(bytes, 1);
        }
    }

    private static void lower(byte[] data, int tcp, int at, int mss) {
        int old = Bytes.u16(data, at);
        if (old <= mss) {
            return;
        }
        Bytes.putU16(data, at, mss);
        // At an odd place its bytes are in two words of the sum, each in the other half.
        boolean odd = (at - tcp & 1) != 0;
        int before = odd ? swapped(old) : old;
        int after = odd ? swapped(mss) : mss;
        Bytes.putU16(data, tcp + Tcp.CHECKSUM, Checksum.update(Bytes.u16(data, tcp + Tcp.CHECKSUM), before, after));
    }

    private static int swapped(int word) {
        return Short.reverseBytes((short) word) & 0xffff;
    }
}
