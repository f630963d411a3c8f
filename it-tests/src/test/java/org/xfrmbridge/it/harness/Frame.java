package org.xfrmbridge.it.harness;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;

/**
 * Says what an Ethernet frame on the wire is, as far as secrecy goes. Later fragments are what their first one was, so
 * one instance must see the frames of one capture in order.
 */
final class Frame {
    /** What may be on a protected wire, and what may not. AH is no secret, but who negotiated it wants none. */
    enum Kind {
        ESP,
        ESP_IN_UDP,
        AH,
        IKE,
        KEEPALIVE,
        NEIGHBOUR,
        DHCP,
        MULTICAST,
        ICMP_ERROR,
        NOT_IP,
        CLEAR;

        boolean secret() {
            return this != CLEAR;
        }
    }

    private static final int ETHERNET_BYTES = 14;
    private static final int UDP_BYTES = 8;
    private static final int IKE_PORT = 500;
    private static final int NAT_PORT = 4500;
    private static final int DHCP_SERVER_PORT = 67;
    private static final int DHCP_CLIENT_PORT = 68;
    private static final int PROTOCOL_HOP_BY_HOP = 0;
    private static final int PROTOCOL_ICMP = 1;
    private static final int PROTOCOL_IGMP = 2;
    private static final int PROTOCOL_UDP = 17;
    private static final int PROTOCOL_FRAGMENT = 44;
    private static final int PROTOCOL_ESP = 50;
    private static final int PROTOCOL_AH = 51;
    private static final int PROTOCOL_ICMP6 = 58;

    private final Map<String, Kind> fragments = new HashMap<>();

    Kind classify(ByteBuffer frame) {
        int etherType = frame.remaining() < ETHERNET_BYTES ? 0 : frame.getShort(ETHERNET_BYTES - 2) & 0xffff;
        ByteBuffer packet = frame.duplicate()
                .position(Math.min(ETHERNET_BYTES, frame.remaining()))
                .slice();
        return switch (etherType) {
            case 0x0800 -> ipv4(packet);
            case 0x86dd -> ipv6(packet);
            case 0x0806 -> Kind.NEIGHBOUR;
            default -> Kind.NOT_IP;
        };
    }

    private Kind ipv4(ByteBuffer packet) {
        if (packet.remaining() < 20) {
            return Kind.CLEAR;
        }
        int headerBytes = (packet.get(0) & 0xf) * 4;
        int fragment = packet.getShort(6);
        int protocol = packet.get(9) & 0xff;
        String key = packet.getInt(12) + ">" + packet.getInt(16) + "#" + packet.getShort(4) + "/" + protocol;
        return fragmentable(key, (fragment & 0x1fff) * 8, protocol, after(packet, headerBytes));
    }

    private Kind ipv6(ByteBuffer packet) {
        if (packet.remaining() < 40) {
            return Kind.CLEAR;
        }
        int protocol = packet.get(6) & 0xff;
        ByteBuffer payload = after(packet, 40);
        if (protocol == PROTOCOL_HOP_BY_HOP && payload.remaining() >= 8) {
            protocol = payload.get(0) & 0xff;
            payload = after(payload, 8 + (payload.get(1) & 0xff) * 8);
        }
        if (protocol == PROTOCOL_FRAGMENT && payload.remaining() >= 8) {
            int inside = payload.get(0) & 0xff;
            String key = packet.getLong(16) + ">" + packet.getLong(32) + "#" + payload.getInt(4) + "/" + inside;
            return fragmentable(key, payload.getShort(2) & 0xfff8, inside, after(payload, 8));
        }
        return transport(protocol, payload);
    }

    private Kind fragmentable(String key, int offsetBytes, int protocol, ByteBuffer payload) {
        if (offsetBytes != 0) {
            return fragments.getOrDefault(key, Kind.CLEAR);
        }
        Kind kind = transport(protocol, payload);
        fragments.put(key, kind);
        return kind;
    }

    private Kind transport(int protocol, ByteBuffer payload) {
        return switch (protocol) {
            case PROTOCOL_ESP -> Kind.ESP;
            case PROTOCOL_AH -> Kind.AH;
            case PROTOCOL_UDP -> udp(payload);
            case PROTOCOL_IGMP -> Kind.MULTICAST;
            case PROTOCOL_ICMP -> icmp(payload);
            case PROTOCOL_ICMP6 -> icmp6(payload);
            default -> Kind.CLEAR;
        };
    }

    private static Kind udp(ByteBuffer datagram) {
        if (datagram.remaining() < UDP_BYTES) {
            return Kind.CLEAR;
        }
        int source = datagram.getShort(0) & 0xffff;
        int destination = datagram.getShort(2) & 0xffff;
        if (source == IKE_PORT || destination == IKE_PORT) {
            return Kind.IKE;
        }
        if (Math.min(source, destination) == DHCP_SERVER_PORT && Math.max(source, destination) == DHCP_CLIENT_PORT) {
            return Kind.DHCP;
        }
        if (source != NAT_PORT && destination != NAT_PORT) {
            return Kind.CLEAR;
        }
        if (datagram.remaining() < UDP_BYTES + 4) {
            return Kind.KEEPALIVE;
        }
        return datagram.getInt(UDP_BYTES) == 0 ? Kind.IKE : Kind.ESP_IN_UDP;
    }

    /** An error is as secret as the packet it quotes. */
    private Kind icmp(ByteBuffer message) {
        boolean quotes = message.remaining() >= 8 && (message.get(0) == 3 || message.get(0) == 11);
        return quotes && ipv4(after(message, 8)).secret() ? Kind.ICMP_ERROR : Kind.CLEAR;
    }

    private Kind icmp6(ByteBuffer message) {
        int type = message.hasRemaining() ? message.get(0) & 0xff : 0;
        return switch (type) {
            case 1, 2, 3 -> ipv6(after(message, 8)).secret() ? Kind.ICMP_ERROR : Kind.CLEAR;
            case 130, 131, 132, 143 -> Kind.MULTICAST;
            // not 137: a redirect quotes the packet it is about
            case 133, 134, 135, 136 -> Kind.NEIGHBOUR;
            default -> Kind.CLEAR;
        };
    }

    private static ByteBuffer after(ByteBuffer buffer, int bytes) {
        return buffer.duplicate().position(Math.min(bytes, buffer.limit())).slice();
    }
}
