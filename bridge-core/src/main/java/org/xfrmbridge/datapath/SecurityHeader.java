package org.xfrmbridge.datapath;

import org.xfrmbridge.net.Ah;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.IpComp;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * What ESP, AH and IPComp headers have in common: they name a State and, but for IPComp, a number
 * ({@code xfrm_parse_spi}).
 */
final class SecurityHeader {
    private static final int ESP_BYTES = 8;
    private static final int ESP_SEQUENCE = 4;

    private SecurityHeader() {}

    /** Whether it is one of the three protocols. */
    static boolean isOf(int protocol) {
        return protocol == IpProtocol.ESP || protocol == IpProtocol.AH || protocol == IpProtocol.COMP;
    }

    /** Bytes without which a packet has no such header. */
    static int leastBytes(int protocol) {
        return switch (protocol) {
            case IpProtocol.AH -> Ah.FIXED_BYTES;
            case IpProtocol.COMP -> IpComp.HEADER_BYTES;
            default -> ESP_BYTES;
        };
    }

    /** Bytes that must be there before {@link #spi} may be asked: an ICMP error may quote no more. */
    static int namingBytes(int protocol) {
        return protocol == IpProtocol.AH ? Ah.SPI + Integer.BYTES : Integer.BYTES;
    }

    static int spi(int protocol, byte[] data, int at) {
        return switch (protocol) {
            case IpProtocol.AH -> Bytes.i32(data, at + Ah.SPI);
            case IpProtocol.COMP -> Bytes.u16(data, at + IpComp.CPI);
            default -> Bytes.i32(data, at);
        };
    }

    /** 0 where packets carry none. */
    static int sequence(int protocol, byte[] data, int at) {
        return switch (protocol) {
            case IpProtocol.AH -> Bytes.i32(data, at + Ah.SEQUENCE);
            case IpProtocol.ESP -> Bytes.i32(data, at + ESP_SEQUENCE);
            default -> 0;
        };
    }
}
