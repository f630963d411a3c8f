package org.xfrmbridge.net;

import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * What a packet is to the databases: the kernel's {@code xfrm_decode_session}. Ports of TCP, UDP, SCTP, DCCP and
 * UDP-Lite; type and code of ICMP in their place; the halves of a GRE key; the type of a mobility header. All 0 where
 * there are none, and in fragments.
 */
public final class FlowDecoder {
    private static final int GRE_CHECKSUM_FLAG = 0x8000;
    private static final int GRE_KEY_FLAG = 0x2000;
    private static final int GRE_HEADER_BYTES = 4;
    private static final int GRE_DECODED_BYTES = 12;
    private static final int MH_TYPE = 2;

    private FlowDecoder() {}

    /** Fills in everything but mark and interface. */
    public static void decode(IpPacket packet, Flow flow) {
        byte[] data = packet.data();
        flow.family = packet.family;
        flow.protocol = packet.protocol;
        if (packet.isIpv4()) {
            flow.saddrHigh = (long) Bytes.i32(data, packet.offset + Ipv4.SOURCE) << 32;
            flow.saddrLow = 0;
            flow.daddrHigh = (long) Bytes.i32(data, packet.offset + Ipv4.DESTINATION) << 32;
            flow.daddrLow = 0;
        } else {
            flow.saddrHigh = Bytes.i64(data, packet.offset + Ipv6.SOURCE);
            flow.saddrLow = Bytes.i64(data, packet.offset + Ipv6.SOURCE + 8);
            flow.daddrHigh = Bytes.i64(data, packet.offset + Ipv6.DESTINATION);
            flow.daddrLow = Bytes.i64(data, packet.offset + Ipv6.DESTINATION + 8);
        }
        flow.sport = 0;
        flow.dport = 0;
        if (!packet.fragment) {
            decodePorts(packet, flow);
        }
    }

    /** The same packet seen from its receiver: what an ICMP error quotes went the other way. */
    public static void reverse(Flow flow) {
        long high = flow.saddrHigh;
        long low = flow.saddrLow;
        flow.saddrHigh = flow.daddrHigh;
        flow.saddrLow = flow.daddrLow;
        flow.daddrHigh = high;
        flow.daddrLow = low;
        if (IpProtocol.hasPorts(flow.protocol)) {
            int port = flow.sport;
            flow.sport = flow.dport;
            flow.dport = port;
        }
    }

    private static void decodePorts(IpPacket packet, Flow flow) {
        byte[] data = packet.data();
        int at = packet.payload;
        int bytes = packet.payloadBytes();
        if (IpProtocol.hasPorts(packet.protocol)) {
            if (bytes >= 4) {
                flow.sport = Bytes.u16(data, at);
                flow.dport = Bytes.u16(data, at + 2);
            }
            return;
        }
        switch (packet.protocol) {
            case IpProtocol.ICMP, IpProtocol.ICMPV6 -> {
                if (bytes >= 2) {
                    flow.sport = Bytes.u8(data, at);
                    flow.dport = Bytes.u8(data, at + 1);
                }
            }
            case IpProtocol.GRE -> decodeGreKey(data, at, bytes, flow);
            case IpProtocol.MH -> flow.sport = bytes > MH_TYPE ? Bytes.u8(data, at + MH_TYPE) : 0;
            default -> {}
        }
    }

    private static void decodeGreKey(byte[] data, int at, int bytes, Flow flow) {
        if (bytes < GRE_DECODED_BYTES || (Bytes.u16(data, at) & GRE_KEY_FLAG) == 0) {
            return;
        }
        boolean hasChecksum = (Bytes.u16(data, at) & GRE_CHECKSUM_FLAG) != 0;
        int keyAt = at + GRE_HEADER_BYTES + (hasChecksum ? 4 : 0);
        flow.sport = Bytes.u16(data, keyAt);
        flow.dport = Bytes.u16(data, keyAt + 2);
    }
}
