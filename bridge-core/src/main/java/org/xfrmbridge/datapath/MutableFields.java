package org.xfrmbridge.datapath;

import java.util.Arrays;
import org.xfrmbridge.net.Bytes;
import org.xfrmbridge.net.IpPacket;
import org.xfrmbridge.net.Ipv4;
import org.xfrmbridge.net.Ipv6;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * What routers change in the headers before AH, and so is taken as zero for the ICV, or as it will be at the
 * destination (RFC 4302 3.3.3, appendix A; {@code ip_clear_mutable_options}, {@code ipv6_clear_mutable_options}).
 * Reused; {@link #restore} follows each clearing.
 */
final class MutableFields {
    private static final int OPTION_END = 0;
    private static final int OPTION_NOP = 1;
    private static final int OPTION_SECURITY = 0x82;
    private static final int OPTION_LOOSE_ROUTE = 0x83;
    private static final int OPTION_EXTENDED_SECURITY = 0x85;
    private static final int OPTION_CIPSO = 0x86;
    private static final int OPTION_STRICT_ROUTE = 0x89;
    private static final int OPTION_ROUTER_ALERT = 0x94;
    private static final int OPTION_DIRECTED_BROADCAST = 0x95;
    private static final int LEAST_ROUTE_BYTES = 6;

    private static final int OPTION6_PAD1 = 0;
    private static final int OPTION6_HOME_ADDRESS = 0xc9;
    private static final int OPTION6_MAY_CHANGE = 0x20;
    private static final int SEGMENTS_LEFT = 3;
    private static final int ROUTING_FIXED_BYTES = 8;

    private byte[] kept = new byte[128];
    private int keptBytes;

    /** On the sender's side, where a source-routed packet has not come to its last destination yet. */
    boolean clearForSending(IpPacket packet, int headerEnd) {
        keep(packet, headerEnd);
        if (!packet.isIpv4()) {
            return clearIpv6(packet.data(), packet.offset, headerEnd);
        }
        int destination = lastDestination(packet.data(), packet.offset);
        return clearIpv4(packet.data(), packet.offset, destination);
    }

    /** False if options or a routing header are not what they should be; fields may be cleared by then. */
    boolean clearReceived(IpPacket packet, int headerEnd) {
        keep(packet, headerEnd);
        byte[] data = packet.data();
        int at = packet.offset;
        return packet.isIpv4()
                ? clearIpv4(data, at, Bytes.i32(data, at + Ipv4.DESTINATION))
                : clearIpv6(data, at, headerEnd);
    }

    void restore(IpPacket packet) {
        System.arraycopy(kept, 0, packet.data(), packet.offset, keptBytes);
    }

    private void keep(IpPacket packet, int headerEnd) {
        keptBytes = headerEnd - packet.offset;
        if (kept.length < keptBytes) {
            kept = new byte[keptBytes];
        }
        System.arraycopy(packet.data(), packet.offset, kept, 0, keptBytes);
    }

    private static boolean clearIpv4(byte[] data, int at, int destination) {
        data[at + Ipv4.TOS] = 0;
        Bytes.putU16(data, at + Ipv4.FRAGMENT, 0);
        data[at + Ipv4.TTL] = 0;
        Bytes.putU16(data, at + Ipv4.CHECKSUM, 0);
        Bytes.putI32(data, at + Ipv4.DESTINATION, destination);
        int end = at + Ipv4.headerBytes(data, at);
        int option = at + Ipv4.HEADER_BYTES;
        while (option < end && data[option] != OPTION_END) {
            int bytes = optionBytes(data, option, end);
            if (bytes == 0) {
                return false;
            }
            if (!isImmutable(Bytes.u8(data, option))) {
                Arrays.fill(data, option, option + bytes, (byte) 0);
            }
            option += bytes;
        }
        return true;
    }

    /** 0 if it does not fit. */
    private static int optionBytes(byte[] data, int option, int end) {
        if (data[option] == OPTION_NOP) {
            return 1;
        }
        int bytes = option + 1 < end ? Bytes.u8(data, option + 1) : 0;
        boolean route = isRoute(Bytes.u8(data, option));
        return bytes < (route ? LEAST_ROUTE_BYTES : 2) || bytes > end - option ? 0 : bytes;
    }

    private static boolean isRoute(int option) {
        return option == OPTION_LOOSE_ROUTE || option == OPTION_STRICT_ROUTE;
    }

    private static boolean isImmutable(int option) {
        return switch (option) {
            case OPTION_NOP,
                    OPTION_SECURITY,
                    OPTION_EXTENDED_SECURITY,
                    OPTION_CIPSO,
                    OPTION_ROUTER_ALERT,
                    OPTION_DIRECTED_BROADCAST -> true;
            default -> false;
        };
    }

    /** The last address of a source route, else the destination. */
    private static int lastDestination(byte[] data, int at) {
        int end = at + Ipv4.headerBytes(data, at);
        int destination = Bytes.i32(data, at + Ipv4.DESTINATION);
        int option = at + Ipv4.HEADER_BYTES;
        while (option < end && data[option] != OPTION_END) {
            int bytes = optionBytes(data, option, end);
            if (bytes == 0) {
                return destination;
            }
            if (isRoute(Bytes.u8(data, option))) {
                destination = Bytes.i32(data, option + bytes - Ipv4.ADDRESS_BYTES);
            }
            option += bytes;
        }
        return destination;
    }

    private static boolean clearIpv6(byte[] data, int at, int headerEnd) {
        Bytes.putI32(data, at, 6 << 28);
        data[at + Ipv6.HOP_LIMIT] = 0;
        int next = Bytes.u8(data, at + Ipv6.NEXT_HEADER);
        int header = at + Ipv6.HEADER_BYTES;
        while (header < headerEnd) {
            int end = header + Ipv6.extensionBytes(data, header);
            boolean fits = end <= headerEnd
                    && switch (next) {
                        case IpProtocol.ANY, IpProtocol.DSTOPTS -> clearOptions(data, at, header, end);
                        case IpProtocol.ROUTING -> arriveBy(data, at, header, end);
                        default -> true;
                    };
            if (!fits) {
                return false;
            }
            next = Bytes.u8(data, header);
            header = end;
        }
        return true;
    }

    /**
     * Options say themselves whether they may change; a home address stands where the source does for the receiver (RFC
     * 6275 11.3.2).
     */
    private static boolean clearOptions(byte[] data, int ip, int header, int end) {
        int option = header + 2;
        while (option < end) {
            int type = Bytes.u8(data, option);
            if (type == OPTION6_PAD1) {
                option++;
                continue;
            }
            int next = option + 1 < end ? option + 2 + Bytes.u8(data, option + 1) : Integer.MAX_VALUE;
            if (next > end) {
                return false;
            }
            if (type == OPTION6_HOME_ADDRESS && next - option == 2 + Ipv6.ADDRESS_BYTES) {
                swapAddresses(data, ip + Ipv6.SOURCE, option + 2);
            }
            if ((type & OPTION6_MAY_CHANGE) != 0) {
                Arrays.fill(data, option + 2, next, (byte) 0);
            }
            option = next;
        }
        return true;
    }

    /** Makes a routing header of type 0 or 2 and the destination what they will be at the end of the route. */
    private static boolean arriveBy(byte[] data, int ip, int header, int end) {
        int left = Bytes.u8(data, header + SEGMENTS_LEFT);
        int segments = (end - header - ROUTING_FIXED_BYTES) / Ipv6.ADDRESS_BYTES;
        if (left > segments) {
            return false;
        }
        data[header + SEGMENTS_LEFT] = 0;
        int destination = ip + Ipv6.DESTINATION;
        for (int segment = segments - left; segment < segments; segment++) {
            swapAddresses(data, destination, header + ROUTING_FIXED_BYTES + segment * Ipv6.ADDRESS_BYTES);
        }
        return true;
    }

    private static void swapAddresses(byte[] data, int one, int other) {
        long high = Bytes.i64(data, one);
        long low = Bytes.i64(data, one + 8);
        System.arraycopy(data, other, data, one, Ipv6.ADDRESS_BYTES);
        Bytes.putI64(data, other, high);
        Bytes.putI64(data, other + 8, low);
    }
}
