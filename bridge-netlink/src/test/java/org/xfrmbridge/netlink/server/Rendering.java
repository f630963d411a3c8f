package org.xfrmbridge.netlink.server;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.xfrmbridge.netlink.msg.AeventId;
import org.xfrmbridge.netlink.msg.UserAcquire;
import org.xfrmbridge.netlink.msg.UserExpire;
import org.xfrmbridge.netlink.msg.UserMapping;
import org.xfrmbridge.netlink.msg.UserPolexpire;
import org.xfrmbridge.netlink.msg.UserpolicyId;
import org.xfrmbridge.netlink.msg.UserpolicyInfo;
import org.xfrmbridge.netlink.msg.UsersaId;
import org.xfrmbridge.netlink.msg.UsersaInfo;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.NetlinkErrors;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkReader;

/**
 * Messages as text for comparing, without what two runs cannot share: times, the counter part of policy indexes, ACQUIRE numbers, sizes of hash
 * tables. Of an extended acknowledgement's text only the presence counts, since ours are our own words, and the attribute's policy, which a
 * kernel adds and no client reads, is left out.
 */
final class Rendering {
    private static final HexFormat HEX = HexFormat.of();

    private static final Map<Integer, Integer> FIXED_BYTES = Map.ofEntries(
            Map.entry(XfrmMessage.NEWSA, UsersaInfo.BYTES),
            Map.entry(XfrmMessage.UPDSA, UsersaInfo.BYTES),
            Map.entry(XfrmMessage.DELSA, UsersaId.BYTES),
            Map.entry(XfrmMessage.NEWPOLICY, UserpolicyInfo.BYTES),
            Map.entry(XfrmMessage.UPDPOLICY, UserpolicyInfo.BYTES),
            Map.entry(XfrmMessage.DELPOLICY, UserpolicyId.BYTES),
            Map.entry(XfrmMessage.ACQUIRE, UserAcquire.BYTES),
            Map.entry(XfrmMessage.EXPIRE, UserExpire.BYTES),
            Map.entry(XfrmMessage.POLEXPIRE, UserPolexpire.BYTES),
            Map.entry(XfrmMessage.NEWAE, AeventId.BYTES),
            Map.entry(XfrmMessage.MAPPING, UserMapping.BYTES),
            Map.entry(XfrmMessage.FLUSHSA, 4),
            Map.entry(XfrmMessage.FLUSHPOLICY, 0),
            Map.entry(XfrmMessage.NEWSADINFO, 4),
            Map.entry(XfrmMessage.NEWSPDINFO, 4),
            Map.entry(XfrmMessage.GETDEFAULT, 4),
            Map.entry(NetlinkHeader.DONE, 4));

    private Rendering() {}

    /** One line for each message; messages that shared a datagram are indented alike. */
    static List<String> render(List<byte[]> datagrams) {
        List<String> lines = new ArrayList<>();
        for (byte[] datagram : datagrams) {
            NetlinkReader reader = new NetlinkReader(ByteBuffer.wrap(datagram));
            String lead = "";
            while (reader.next()) {
                lines.add(lead + render(reader));
                lead = "+ ";
            }
        }
        return lines;
    }

    private static String render(NetlinkReader message) {
        NetlinkHeader header = message.header();
        byte[] payload = new byte[message.payload().limit()];
        message.payload().get(payload);
        int fixedBytes = header.type() == NetlinkHeader.ERROR
                ? errorBytes(header, payload)
                : Math.min(FIXED_BYTES.getOrDefault(header.type(), payload.length), payload.length);
        maskFixed(header.type(), payload);
        String attributes = attributes(header.type(), ByteBuffer.wrap(payload).order(ByteOrder.nativeOrder()).position(fixedBytes));
        return "type %#x flags %#x seq %d port %d: %s%s".formatted(
                header.type(), header.flags(), header.sequence(), header.portId(), HEX.formatHex(payload, 0, fixedBytes), attributes);
    }

    private static int errorBytes(NetlinkHeader header, byte[] payload) {
        if (!header.has(NetlinkHeader.ACK_TLVS)) {
            return payload.length;
        }
        int requestBytes = ByteBuffer.wrap(payload).order(ByteOrder.nativeOrder()).getInt(4);
        return header.has(NetlinkHeader.CAPPED) ? NetlinkErrors.BYTES : 4 + NetlinkHeader.align(requestBytes);
    }

    private static void maskFixed(int type, byte[] payload) {
        switch (type) {
            case XfrmMessage.NEWSA, XfrmMessage.UPDSA, XfrmMessage.EXPIRE -> maskState(payload, 0);
            case XfrmMessage.NEWPOLICY, XfrmMessage.UPDPOLICY, XfrmMessage.POLEXPIRE -> maskPolicy(payload, 0);
            case XfrmMessage.ACQUIRE -> {
                maskPolicy(payload, 96);
                mask(payload, 276, 4);
            }
            case XfrmMessage.DELPOLICY -> maskIndex(payload, 56);
            default -> { }
        }
    }

    private static void maskState(byte[] payload, int at) {
        mask(payload, at + 176, 16);
    }

    private static void maskPolicy(byte[] payload, int at) {
        mask(payload, at + 136, 16);
        maskIndex(payload, at + 156);
    }

    private static void maskIndex(byte[] payload, int at) {
        ByteBuffer in = ByteBuffer.wrap(payload).order(ByteOrder.nativeOrder());
        in.putInt(at, in.getInt(at) & 7);
    }

    private static void mask(byte[] bytes, int from, int length) {
        for (int i = from; i < from + length; i++) {
            bytes[i] = 0;
        }
    }

    private static String attributes(int messageType, ByteBuffer in) {
        StringBuilder text = new StringBuilder();
        while (in.remaining() >= 4) {
            int at = in.position();
            int length = Short.toUnsignedInt(in.getShort(at));
            int type = in.getShort(at + 2) & 0x3fff;
            byte[] payload = new byte[length - 4];
            in.get(at + 4, payload);
            in.position(Math.min(at + NetlinkHeader.align(length), in.limit()));
            text.append(attribute(messageType, type, payload));
        }
        return text.toString();
    }

    private static String attribute(int messageType, int type, byte[] payload) {
        if (messageType == NetlinkHeader.ERROR || messageType == NetlinkHeader.DONE) {
            return switch (type) {
                case NetlinkErrors.ATTR_MESSAGE -> " [text]";
                case NetlinkErrors.ATTR_POLICY -> "";
                default -> " [%d %s]".formatted(type, HEX.formatHex(payload));
            };
        }
        boolean info = messageType == XfrmMessage.NEWSADINFO || messageType == XfrmMessage.NEWSPDINFO;
        if (info && type == XfrmAttribute.SPD_HINFO) {
            return " [2 sizes]";
        }
        if (type == XfrmAttribute.SA && !info) {
            maskState(payload, 0);
        }
        if (type == XfrmAttribute.POLICY && !info) {
            maskPolicy(payload, 0);
        }
        if (type == XfrmAttribute.LTIME_VAL && !info) {
            mask(payload, 16, 16);
        }
        if (type == XfrmAttribute.LASTUSED && !info) {
            mask(payload, 0, 8);
        }
        return " [%d %s]".formatted(type, HEX.formatHex(payload));
    }
}
