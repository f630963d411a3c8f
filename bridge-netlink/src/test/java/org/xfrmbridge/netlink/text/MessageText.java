package org.xfrmbridge.netlink.text;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.xfrmbridge.netlink.msg.AeventId;
import org.xfrmbridge.netlink.msg.UserAcquire;
import org.xfrmbridge.netlink.msg.UserExpire;
import org.xfrmbridge.netlink.msg.UserMapping;
import org.xfrmbridge.netlink.msg.UserMigrateState;
import org.xfrmbridge.netlink.msg.UserPolexpire;
import org.xfrmbridge.netlink.msg.UserReport;
import org.xfrmbridge.netlink.msg.UserTmpl;
import org.xfrmbridge.netlink.msg.UserpolicyId;
import org.xfrmbridge.netlink.msg.UserpolicyInfo;
import org.xfrmbridge.netlink.msg.UsersaId;
import org.xfrmbridge.netlink.msg.UsersaInfo;
import org.xfrmbridge.netlink.msg.UserspiInfo;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.netlink.nl.NetlinkErrors;
import org.xfrmbridge.netlink.nl.NetlinkHeader;
import org.xfrmbridge.netlink.nl.NetlinkReader;

/**
 * Messages as lines of text: header, fixed part, attributes, every byte of them in hexadecimal but the volatile ones.
 * Of an acknowledgement's explanation only the presence is told, as the words are our own.
 */
public final class MessageText {
    public static final String EXPLANATION = " [text]";

    /** NL_POLICY_TYPE_ATTR_PAD, for the same purpose as XFRMA_PAD. */
    private static final String POLICY_PAD = "04000b00";

    private static final int OPTIONAL_OFFSET = 50;
    private static final HexFormat HEX = HexFormat.of();
    /** Of the structure behind each message's header. */
    public static final Map<Integer, Integer> FIXED_BYTES = Map.ofEntries(
            Map.entry(XfrmMessage.NEWSA, UsersaInfo.BYTES),
            Map.entry(XfrmMessage.UPDSA, UsersaInfo.BYTES),
            Map.entry(XfrmMessage.DELSA, UsersaId.BYTES),
            Map.entry(XfrmMessage.GETSA, UsersaId.BYTES),
            Map.entry(XfrmMessage.ALLOCSPI, UserspiInfo.BYTES),
            Map.entry(XfrmMessage.NEWPOLICY, UserpolicyInfo.BYTES),
            Map.entry(XfrmMessage.UPDPOLICY, UserpolicyInfo.BYTES),
            Map.entry(XfrmMessage.DELPOLICY, UserpolicyId.BYTES),
            Map.entry(XfrmMessage.GETPOLICY, UserpolicyId.BYTES),
            Map.entry(XfrmMessage.MIGRATE, UserpolicyId.BYTES),
            Map.entry(XfrmMessage.MIGRATE_STATE, UserMigrateState.BYTES),
            Map.entry(XfrmMessage.ACQUIRE, UserAcquire.BYTES),
            Map.entry(XfrmMessage.EXPIRE, UserExpire.BYTES),
            Map.entry(XfrmMessage.POLEXPIRE, UserPolexpire.BYTES),
            Map.entry(XfrmMessage.NEWAE, AeventId.BYTES),
            Map.entry(XfrmMessage.GETAE, AeventId.BYTES),
            Map.entry(XfrmMessage.MAPPING, UserMapping.BYTES),
            Map.entry(XfrmMessage.REPORT, UserReport.BYTES),
            Map.entry(XfrmMessage.FLUSHSA, 4),
            Map.entry(XfrmMessage.FLUSHPOLICY, 0),
            Map.entry(XfrmMessage.NEWSADINFO, 4),
            Map.entry(XfrmMessage.GETSADINFO, 4),
            Map.entry(XfrmMessage.NEWSPDINFO, 4),
            Map.entry(XfrmMessage.GETSPDINFO, 4),
            Map.entry(XfrmMessage.SETDEFAULT, 4),
            Map.entry(XfrmMessage.GETDEFAULT, 4),
            Map.entry(NetlinkHeader.DONE, 4));

    private MessageText() {}

    /** A line for each message of a datagram behind the lead, those after the first marked. */
    public static List<String> render(String lead, byte[] datagram) {
        List<String> lines = new ArrayList<>();
        NetlinkReader reader = new NetlinkReader(ByteBuffer.wrap(datagram));
        String mark = lead;
        while (reader.next()) {
            lines.add(mark + render(reader));
            mark = lead + "+ ";
        }
        return lines;
    }

    private static String render(NetlinkReader message) {
        NetlinkHeader header = message.header();
        byte[] payload = new byte[message.payload().limit()];
        message.payload().get(payload);
        int fixedBytes = Math.min(
                payload.length,
                header.type() == NetlinkHeader.ERROR
                        ? errorBytes(header, payload)
                        : FIXED_BYTES.getOrDefault(header.type(), payload.length));
        byte[] fixed = Arrays.copyOf(payload, fixedBytes);
        VolatileField.maskAll(header.type(), VolatileField.FIXED, fixed);
        return "type %#x flags %#x seq %d port %d: %s%s"
                .formatted(
                        header.type(),
                        header.flags(),
                        header.sequence(),
                        header.portId(),
                        fixed(header.type(), fixed),
                        attributes(
                                header.type(),
                                ByteBuffer.wrap(payload)
                                        .order(ByteOrder.nativeOrder())
                                        .position(fixedBytes)));
    }

    private static String fixed(int type, byte[] fixed) {
        boolean error = type == NetlinkHeader.ERROR || type == NetlinkHeader.DONE;
        if (!error || fixed.length < 4) {
            return HEX.formatHex(fixed);
        }
        return "errno " + NetlinkErrors.errno(ByteBuffer.wrap(fixed).order(ByteOrder.nativeOrder())) + " "
                + HEX.formatHex(fixed, 4, fixed.length);
    }

    private static int errorBytes(NetlinkHeader header, byte[] payload) {
        if (!header.has(NetlinkHeader.ACK_TLVS)) {
            return payload.length;
        }
        int requestBytes =
                ByteBuffer.wrap(payload).order(ByteOrder.nativeOrder()).getInt(4);
        return header.has(NetlinkHeader.CAPPED) ? NetlinkErrors.BYTES : 4 + NetlinkHeader.align(requestBytes);
    }

    private static String attributes(int messageType, ByteBuffer in) {
        StringBuilder text = new StringBuilder();
        while (in.remaining() >= 4) {
            int at = in.position();
            int length = Short.toUnsignedInt(in.getShort(at));
            int type = Short.toUnsignedInt(in.getShort(at + 2));
            if (length < 4 || length > in.remaining()) {
                break;
            }
            byte[] payload = new byte[length - 4];
            in.get(at + 4, payload);
            in.position(Math.min(at + NetlinkHeader.align(length), in.limit()));
            text.append(attribute(messageType, type, payload));
        }
        byte[] rest = new byte[in.remaining()];
        in.get(rest);
        return rest.length == 0 ? text.toString() : text + " rest " + HEX.formatHex(rest);
    }

    /**
     * "Optional" is yes or no to us, and padding is zero, where a kernel gives back what it was given: see
     * docs/differences.md.
     */
    private static void maskTemplates(byte[] payload) {
        for (int at = OPTIONAL_OFFSET; at < payload.length; at += UserTmpl.BYTES) {
            payload[at] = (byte) (payload[at] == 0 ? 0 : 1);
            int template = at - OPTIONAL_OFFSET;
            Arrays.fill(payload, template + 21, template + 24, (byte) 0);
            Arrays.fill(payload, template + 26, template + 28, (byte) 0);
            payload[at + 1] = 0;
            maskReqid(payload, at - 6);
        }
    }

    /** One that the kernel chose for a policy of PF_KEY's. */
    private static void maskReqid(byte[] payload, int at) {
        VolatileField.Kind.REQID.mask(
                ByteBuffer.wrap(payload, at, Integer.BYTES).slice().order(ByteOrder.nativeOrder()));
    }

    private static String attribute(int messageType, int type, byte[] payload) {
        if (messageType == NetlinkHeader.ERROR || messageType == NetlinkHeader.DONE) {
            return switch (type) {
                case NetlinkErrors.ATTR_MESSAGE -> EXPLANATION;
                case Attributes.NESTED | NetlinkErrors.ATTR_POLICY ->
                    " [policy %s]".formatted(HEX.formatHex(payload).replace(POLICY_PAD, ""));
                default -> " [%d %s]".formatted(type, HEX.formatHex(payload));
            };
        }
        VolatileField.maskAll(messageType, type, payload);
        if (type == XfrmAttribute.PAD && payload.length == 0) {
            // Aligns 64-bit numbers on machines that need it, as user-mode-linux says it does.
            return "";
        }
        if (type == XfrmAttribute.TMPL) {
            maskTemplates(payload);
        }
        return " [%d %s]".formatted(type, HEX.formatHex(payload));
    }
}
