package org.xfrmbridge.netlink.server;

import java.nio.ByteBuffer;
import java.util.function.Predicate;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.XfrmService;
import org.xfrmbridge.netlink.map.PolicyEncoder;
import org.xfrmbridge.netlink.map.StateEncoder;
import org.xfrmbridge.netlink.msg.AddressFilter;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.netlink.nl.NetlinkErrors.Fault;
import org.xfrmbridge.netlink.nl.NetlinkException;
import org.xfrmbridge.netlink.nl.NetlinkReader;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.netlink.server.ActiveDump.DumpRequest;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;

/** Starts the two dumps there are. */
final class Dumps {
    private static final int MAX_PREFIX = 128;

    private Dumps() {}

    /** GETSA: attributes may follow the header at once, without a structure ({@code xfrm_dump_sa}). */
    static ActiveDump<State> states(XfrmService service, NetlinkReader message, int portId) throws NetlinkException {
        Attributes attributes = Attributes.parse(message.payload(), 0, XfrmAttribute.POLICIES);
        Predicate<State> filter = byProtocol(attributes.getByte(XfrmAttribute.PROTO, IpProtocol.ANY));
        ByteBuffer addresses = attributes.get(XfrmAttribute.ADDRESS_FILTER);
        if (addresses != null) {
            filter = filter.and(byAddress(AddressFilter.read(addresses)));
        }
        String remark = Dispatcher.remark(attributes);
        DumpRequest request = new DumpRequest(message.sequence(), portId, Fault.remark(remark));
        return new ActiveDump<>(service.states(filter), XfrmMessage.NEWSA, Dumps::putState, request);
    }

    /** {@code xfrm_id_proto_match}. */
    private static Predicate<State> byProtocol(int wanted) {
        return switch (wanted) {
            case IpProtocol.ANY -> state -> true;
            case IpProtocol.IPSEC_ANY -> state -> isIpsec(state.id().protocol());
            default -> state -> state.id().protocol() == wanted;
        };
    }

    private static boolean isIpsec(int protocol) {
        return protocol == IpProtocol.ESP || protocol == IpProtocol.AH || protocol == IpProtocol.COMP;
    }

    private static Predicate<State> byAddress(AddressFilter filter) throws NetlinkException {
        if (filter.saddrPrefix() > MAX_PREFIX || filter.daddrPrefix() > MAX_PREFIX) {
            throw new NetlinkException(Errno.EINVAL, null);
        }
        return state -> {
            StateSpec spec = state.spec();
            return (!AddressFamily.isIp(filter.family()) || spec.family() == filter.family())
                    && spec.saddr().sharesPrefix(filter.saddr(), filter.saddrPrefix())
                    && spec.id().daddr().sharesPrefix(filter.daddr(), filter.daddrPrefix());
        };
    }

    private static void putState(NetlinkWriter out, State state) {
        StateEncoder.putInfo(out, state);
        StateEncoder.putAttributes(out, state);
    }

    /** GETPOLICY: every policy of every type, those of sockets included, whatever the request says. */
    static ActiveDump<Policy> policies(XfrmService service, NetlinkReader message, int portId) {
        DumpRequest request = new DumpRequest(message.sequence(), portId, Fault.NONE);
        return new ActiveDump<>(service.policies(null), XfrmMessage.NEWPOLICY, Dumps::putPolicy, request);
    }

    private static void putPolicy(NetlinkWriter out, Policy policy) {
        PolicyEncoder.putInfo(out, policy);
        PolicyEncoder.putAttributes(out, policy.spec());
    }
}
