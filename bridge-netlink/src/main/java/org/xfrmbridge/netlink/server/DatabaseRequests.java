package org.xfrmbridge.netlink.server;

import java.nio.ByteBuffer;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.km.XfrmService;
import org.xfrmbridge.km.XfrmService.Defaults;
import org.xfrmbridge.km.XfrmService.HashThresholds;
import org.xfrmbridge.km.XfrmService.PolicyCounts;
import org.xfrmbridge.km.XfrmService.StateCounts;
import org.xfrmbridge.netlink.msg.Structs;
import org.xfrmbridge.netlink.msg.UserpolicyDefault;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.xfrm.Direction;

/** The requests about the databases as a whole: sizes, thresholds and default verdicts. */
final class DatabaseRequests {
    private final XfrmService service;

    DatabaseRequests(XfrmService service) {
        this.service = service;
    }

    void stateCounts(Request request) {
        StateCounts counts = service.stateCounts();
        NetlinkWriter reply = beginInfo(request, XfrmMessage.NEWSADINFO);
        reply.putInt(XfrmAttribute.SAD_CNT, counts.states());
        putPair(reply, XfrmAttribute.SAD_HINFO, counts.hashBuckets(), counts.hashBucketsMax());
        request.send(reply);
    }

    void policyCounts(Request request) {
        PolicyCounts counts = service.policyCounts();
        NetlinkWriter reply = beginInfo(request, XfrmMessage.NEWSPDINFO);
        int attribute = reply.beginAttribute(XfrmAttribute.SPD_INFO);
        putByDirection(reply, counts.global());
        putByDirection(reply, counts.socket());
        reply.endAttribute(attribute);
        putPair(reply, XfrmAttribute.SPD_HINFO, counts.hashBuckets(), counts.hashBucketsMax());
        putThresholds(reply, XfrmAttribute.SPD_IPV4_HTHRESH, counts.ipv4());
        putThresholds(reply, XfrmAttribute.SPD_IPV6_HTHRESH, counts.ipv6());
        request.send(reply);
    }

    /** The answer begins with the request's flags, which mean nothing. */
    private static NetlinkWriter beginInfo(Request request, int type) {
        NetlinkWriter reply = request.reply(type);
        reply.room(Integer.BYTES).putInt(request.payload().getInt());
        return reply;
    }

    private static void putByDirection(NetlinkWriter reply, int[] counts) {
        ByteBuffer out = reply.room(3 * Integer.BYTES);
        out.putInt(counts[Direction.IN.number()]);
        out.putInt(counts[Direction.OUT.number()]);
        out.putInt(counts[Direction.FWD.number()]);
    }

    private static void putPair(NetlinkWriter reply, int type, int first, int second) {
        int attribute = reply.beginAttribute(type);
        reply.room(2 * Integer.BYTES).putInt(first).putInt(second);
        reply.endAttribute(attribute);
    }

    private static void putThresholds(NetlinkWriter reply, int type, HashThresholds thresholds) {
        reply.putBytes(type, Structs.hashThresholds(thresholds));
    }

    void setThresholds(Request request) throws XfrmException {
        Attributes attributes = request.attributes();
        service.setHashThresholds(
                thresholds(attributes.get(XfrmAttribute.SPD_IPV4_HTHRESH)),
                thresholds(attributes.get(XfrmAttribute.SPD_IPV6_HTHRESH)));
    }

    private static HashThresholds thresholds(ByteBuffer payload) {
        return payload == null ? null : Structs.readHashThresholds(payload);
    }

    void setDefaults(Request request) throws XfrmException {
        service.setDefaults(UserpolicyDefault.read(request.payload()), request.origin());
    }

    void getDefaults(Request request) {
        Defaults defaults = service.defaults();
        NetlinkWriter reply = request.reply(XfrmMessage.GETDEFAULT);
        UserpolicyDefault.write(reply.room(UserpolicyDefault.BYTES), defaults);
        request.send(reply);
    }
}
