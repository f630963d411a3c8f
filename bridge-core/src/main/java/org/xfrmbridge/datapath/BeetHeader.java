package org.xfrmbridge.datapath;

import java.util.Arrays;
import java.util.function.IntUnaryOperator;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * Bound end-to-end tunnel mode (draft-nikander-esp-beet-mode-09): the inner addresses are the State's selector, so the
 * inner header is left out. IPv4 options travel in a pseudo header in front of the payload:
 *
 * <pre>
 *   | next header 1 | options in units of 8 bytes 1 | pad length 1 | 0 | NOPs to a unit | options |
 * </pre>
 */
final class BeetHeader extends ModeHeader {
    static final int PSEUDO_NEXT_HEADER = 0;
    static final int PSEUDO_UNITS = 1;
    static final int PSEUDO_PAD_LENGTH = 2;
    static final int PSEUDO_BYTES = 4;
    static final int MAX_PSEUDO_BYTES = 8;
    private static final int OPTION_NOP = 1;

    private final OuterHeader outer;
    private final OuterHeader.Fields fields = new OuterHeader.Fields();
    private final int innerFamily;

    BeetHeader(StateSpec spec, int innerFamily) {
        this.outer = new OuterHeader(spec);
        this.innerFamily = innerFamily;
    }

    @Override
    int prepare(IpPacket packet, int headBytes) {
        if (packet.family != innerFamily || (packet.isIpv4() && Ipv4.isFragment(packet.data(), packet.offset))) {
            return IMPOSSIBLE;
        }
        int end = packet.end();
        fields.extract(packet);
        int nextHeader = packet.isIpv4() ? openIpv4(packet) : openIpv6(packet);
        outer.write(packet, packet.payload - headBytes, fields);
        packet.length = end - packet.offset;
        return nextHeader;
    }

    private static int openIpv4(IpPacket packet) {
        byte[] data = packet.data();
        int protocol = Ipv4.protocol(data, packet.offset);
        int optionBytes = Ipv4.headerBytes(data, packet.offset) - Ipv4.HEADER_BYTES;
        packet.payload = packet.offset + Ipv4.HEADER_BYTES;
        if (optionBytes == 0) {
            return protocol;
        }
        int padBytes = PSEUDO_BYTES - (optionBytes & 4);
        int pseudo = packet.payload - PSEUDO_BYTES - padBytes;
        data[pseudo + PSEUDO_NEXT_HEADER] = (byte) protocol;
        data[pseudo + PSEUDO_UNITS] = (byte) (optionBytes / 8);
        data[pseudo + PSEUDO_PAD_LENGTH] = (byte) padBytes;
        data[pseudo + 3] = 0;
        Arrays.fill(data, pseudo + PSEUDO_BYTES, packet.payload, (byte) OPTION_NOP);
        packet.payload = pseudo;
        return IpProtocol.BEET;
    }

    private static int openIpv6(IpPacket packet) {
        packet.payload = packet.offset + Ipv6.HEADER_BYTES;
        return Bytes.u8(packet.data(), packet.offset + Ipv6.NEXT_HEADER);
    }

    @Override
    int outerFamily() {
        return outer.family();
    }

    @Override
    int growthBytes() {
        return outer.bytes();
    }

    @Override
    int innerMtu(int mtuBytes, IntUnaryOperator maxPayloadFor) {
        int payloadBytes = maxPayloadFor.applyAsInt(mtuBytes - outer.bytes());
        return innerFamily == AddressFamily.INET
                ? payloadBytes - MAX_PSEUDO_BYTES + Ipv4.HEADER_BYTES
                : payloadBytes + Ipv6.HEADER_BYTES;
    }
}
