package org.xfrmbridge.pfkey.map;

import static org.xfrmbridge.km.XfrmException.refuseIf;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.pfkey.msg.SadbXIpsecrequest;
import org.xfrmbridge.pfkey.msg.SadbXPolicy;
import org.xfrmbridge.pfkey.msg.Sockaddr;
import org.xfrmbridge.pfkey.msg.SockaddrPair;
import org.xfrmbridge.pfkey.sadb.Extensions;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbMsg;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicyKey;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.PolicySpec.Action;
import org.xfrmbridge.xfrm.PolicySpec.Type;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.Template;

/** What requests say of Policies, as {@code pfkey_spdadd}, {@code parse_ipsecrequest} and their siblings read it. */
public final class PolicyDecoder {
    /** {@code IPSEC_MANUAL_REQID_MAX}: above it, reqids are the kernel's. */
    public static final int MAX_MANUAL_REQID = 0x3fff;

    private static final int DIRECTION_MASK = 7;

    /** {@code struct sadb_x_policy}. */
    private static final int POLICY_BYTES = 16;

    private PolicyDecoder() {}

    /** X_SPDADD, X_SPDUPDATE, X_SPDSETIDX. */
    public static PolicySpec spec(Extensions extensions, Reqids reqids) throws XfrmException {
        AddressPair pair = AddressPair.read(extensions);
        ByteBuffer body = extensions.require(SadbExt.X_POLICY);
        SadbXPolicy policy = SadbXPolicy.read(body);
        refuseIf(policy.type() > SadbXPolicy.IPSEC);
        Direction direction = direction(policy);
        Action action = policy.type() == SadbXPolicy.DISCARD ? Action.BLOCK : Action.ALLOW;
        List<Template> templates =
                policy.type() == SadbXPolicy.IPSEC ? new Requests(policy, pair.family(), reqids).read(body) : List.of();
        return PolicySpec.builder()
                .selector(pair.selector())
                .lifetime(LifetimeMapper.read(extensions))
                .priority(policy.priority())
                .direction(direction)
                .action(action)
                .templates(templates)
                .build();
    }

    /**
     * IP_IPSEC_POLICY and IPV6_IPSEC_POLICY, {@code pfkey_compile_policy}: a policy extension, and perhaps a label,
     * which is checked and ignored. Of no priority, whatever it says.
     *
     * @param option its value, in native order
     * @throws XfrmException EINVAL, ELOOP for more than six transforms, ENOBUFS
     */
    public static PolicySpec ofSocket(ByteBuffer option, int family, Reqids reqids) throws XfrmException {
        refuseIf(option.remaining() < POLICY_BYTES);
        int bytes = Short.toUnsignedInt(option.getShort(option.position())) * SadbMsg.WORD_BYTES;
        refuseIf(bytes > option.remaining());
        ByteBuffer body = option.slice(option.position(), Math.max(bytes, POLICY_BYTES))
                .order(option.order())
                .position(SadbExt.HEADER_BYTES);
        SadbXPolicy policy = SadbXPolicy.read(body);
        refuseIf(policy.type() > SadbXPolicy.BYPASS);
        Direction direction = direction(policy);
        refuseIf(direction == Direction.FWD);
        Action action = policy.type() == SadbXPolicy.DISCARD ? Action.BLOCK : Action.ALLOW;
        boolean ipsec = policy.type() == SadbXPolicy.IPSEC;
        refuseIf(ipsec && bytes < POLICY_BYTES);
        List<Template> templates = ipsec ? new Requests(policy, family, reqids).read(body) : List.of();
        ByteBuffer label = option.slice(option.position() + bytes, option.remaining() - bytes)
                .order(option.order());
        if (label.remaining() >= SadbMsg.WORD_BYTES) {
            Extensions.verifyLabel(label);
        }
        return PolicySpec.builder()
                .selector(Selector.any(family))
                .direction(direction)
                .action(action)
                .templates(templates)
                .build();
    }

    /** X_SPDDELETE: by selector. */
    public static PolicyKey bySelector(Extensions extensions) throws XfrmException {
        AddressPair pair = AddressPair.read(extensions);
        SadbXPolicy policy = SadbXPolicy.read(extensions.require(SadbExt.X_POLICY));
        return new PolicyKey(Type.MAIN, direction(policy), 0, pair.selector(), Mark.NONE, 0, null);
    }

    /**
     * X_SPDGET and X_SPDDELETE2: by index, which holds the direction. @throws XfrmException ENOENT for the index that
     * no Policy has
     */
    public static PolicyKey byIndex(Extensions extensions) throws XfrmException {
        int index = SadbXPolicy.read(extensions.require(SadbExt.X_POLICY)).id();
        Direction direction = Direction.of(index & DIRECTION_MASK);
        refuseIf(direction == null);
        if (index == 0) {
            throw new XfrmException(Errno.ENOENT);
        }
        return new PolicyKey(Type.MAIN, direction, index, null, Mark.NONE, 0, null);
    }

    private static Direction direction(SadbXPolicy policy) throws XfrmException {
        Direction direction = Direction.of(policy.dir() - 1);
        refuseIf(direction == null);
        return direction;
    }

    /** The transforms of one policy. */
    private record Requests(SadbXPolicy policy, int family, Reqids reqids) {
        List<Template> read(ByteBuffer behindPolicy) throws XfrmException {
            List<Template> templates = new ArrayList<>();
            for (SadbXIpsecrequest request : SadbXIpsecrequest.readAll(behindPolicy)) {
                if (templates.size() == Template.MAX_DEPTH) {
                    throw new XfrmException(Errno.ELOOP);
                }
                templates.add(template(request));
            }
            return templates;
        }

        private Template template(SadbXIpsecrequest request) throws XfrmException {
            // A kernel looks at eight bits of it.
            int protocol = request.proto() & 0xff;
            refuseIf(request.mode() == 0 || !IpProtocol.isTransform(protocol));
            Mode mode = Modes.of(request.mode());
            boolean optional = request.level() == SadbXIpsecrequest.USE;
            boolean outbound = policy.dir() - 1 == Direction.OUT.number();
            refuseIf(optional && outbound && mode != Mode.TRANSPORT);
            int reqid = request.level() == SadbXIpsecrequest.UNIQUE ? unique(request.reqid()) : 0;
            // Only a tunnel says where it goes; all else goes where the packet does.
            Sockaddr any = new Sockaddr(family, 0, Address.ANY);
            SockaddrPair pair = mode == Mode.TUNNEL ? SockaddrPair.read(request.pair()) : new SockaddrPair(any, any);
            return Template.builder()
                    .id(new StateId(pair.destination().address(), 0, protocol))
                    .family(pair.family())
                    .saddr(pair.source().address())
                    .reqid(reqid)
                    .mode(mode)
                    .optional(optional)
                    .authMask(0)
                    .cipherMask(0)
                    .compressionMask(0)
                    .build();
        }

        private int unique(int wanted) throws XfrmException {
            boolean manual = Integer.compareUnsigned(wanted, MAX_MANUAL_REQID) <= 0;
            return wanted != 0 && manual ? wanted : reqids.allocate();
        }
    }
}
