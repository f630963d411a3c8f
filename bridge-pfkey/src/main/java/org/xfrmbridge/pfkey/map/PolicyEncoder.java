package org.xfrmbridge.pfkey.map;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.km.ChangeListener.Acquire;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.pfkey.msg.SadbAddress;
import org.xfrmbridge.pfkey.msg.SadbProp;
import org.xfrmbridge.pfkey.msg.SadbXIpsecrequest;
import org.xfrmbridge.pfkey.msg.SadbXPolicy;
import org.xfrmbridge.pfkey.msg.Sockaddr;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbMsg;
import org.xfrmbridge.pfkey.sadb.SadbWriter;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.PolicySpec.Action;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Template;

/** A Policy as {@code pfkey_xfrm_policy2msg} shows it. */
public final class PolicyEncoder {
    private static final int DIRECTION_MASK = 7;

    private PolicyEncoder() {}

    /**
     * @param header its reserved field is said to count references: clients ignore it, but a kernel sends it
     * @throws XfrmException EINVAL if PF_KEY has no number for the mode of a template
     */
    public static byte[] message(SadbMsg header, Policy policy) throws XfrmException {
        PolicySpec spec = policy.spec();
        Selector selector = spec.selector();
        int proto = Protocols.fromSelector(selector.protocol());
        Sockaddr source = new Sockaddr(selector.family(), selector.sport(), selector.saddr());
        Sockaddr destination = new Sockaddr(selector.family(), selector.dport(), selector.daddr());
        SadbWriter out = new SadbWriter(header)
                .put(SadbExt.ADDRESS_SRC, new SadbAddress(proto, selector.saddrPrefix(), source))
                .put(SadbExt.ADDRESS_DST, new SadbAddress(proto, selector.daddrPrefix(), destination))
                .put(SadbExt.LIFETIME_HARD, LifetimeMapper.hard(spec.lifetime()))
                .put(SadbExt.LIFETIME_SOFT, LifetimeMapper.soft(spec.lifetime()))
                .put(SadbExt.LIFETIME_CURRENT, LifetimeMapper.current(policy.usage()))
                .put(SadbExt.X_POLICY, policy(spec));
        return out.toBytes();
    }

    /** {@code pfkey_send_acquire}: the ends of what is wanted, and by which Policy. */
    public static byte[] acquire(SadbMsg header, Acquire acquire) {
        StateSpec wanted = acquire.larval().spec();
        PolicySpec spec = acquire.policy().spec();
        int direction = Direction.OUT.number() + 1;
        SadbWriter out = new SadbWriter(header)
                .put(SadbExt.ADDRESS_SRC, StateEncoder.whole(wanted.family(), wanted.saddr()))
                .put(
                        SadbExt.ADDRESS_DST,
                        StateEncoder.whole(wanted.family(), wanted.id().daddr()))
                .put(
                        SadbExt.X_POLICY,
                        new SadbXPolicy(SadbXPolicy.IPSEC, direction, spec.index(), spec.priority(), List.of()));
        SadbProp proposal = Algorithms.proposal(acquire.template());
        if (proposal != null) {
            out.put(SadbExt.PROPOSAL, proposal);
        }
        return out.toBytes();
    }

    private static SadbXPolicy policy(PolicySpec spec) throws XfrmException {
        List<SadbXIpsecrequest> requests = new ArrayList<>();
        for (Template template : spec.templates()) {
            requests.add(request(template));
        }
        int allowed = requests.isEmpty() ? SadbXPolicy.NONE : SadbXPolicy.IPSEC;
        int type = spec.action() == Action.ALLOW ? allowed : SadbXPolicy.DISCARD;
        // A socket's has an index of its own, and so a direction that no client can ask for.
        int direction = (spec.index() & DIRECTION_MASK) + 1;
        return new SadbXPolicy(type, direction, spec.index(), spec.priority(), requests);
    }

    private static SadbXIpsecrequest request(Template template) throws XfrmException {
        int level = template.reqid() == 0 ? SadbXIpsecrequest.REQUIRE : SadbXIpsecrequest.UNIQUE;
        return new SadbXIpsecrequest(
                template.id().protocol(),
                Modes.number(template.mode()),
                template.optional() ? SadbXIpsecrequest.USE : level,
                template.reqid(),
                pair(template));
    }

    private static ByteBuffer pair(Template template) {
        if (template.mode() != Mode.TUNNEL) {
            return ByteBuffer.allocate(0);
        }
        ByteBuffer pair =
                ByteBuffer.allocate(2 * Sockaddr.bytes(template.family())).order(ByteOrder.nativeOrder());
        new Sockaddr(template.family(), 0, template.saddr()).write(pair);
        new Sockaddr(template.family(), 0, template.id().daddr()).write(pair);
        return pair.flip();
    }
}
