package org.xfrmbridge.netlink.map;

import java.util.List;
import org.xfrmbridge.netlink.msg.UserTmpl;
import org.xfrmbridge.netlink.msg.UserpolicyInfo;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.Template;

/** A Policy as messages show it, in the kernel's order of attributes ({@code dump_one_policy}, Linux 6.12). */
public final class PolicyEncoder {
    /** The bits of an index that hold the direction, {@code xfrm_policy_id2dir}. */
    private static final int INDEX_DIRECTION = 7;

    private PolicyEncoder() {}

    /**
     * The fixed part of NEWPOLICY, and of the messages that hold one.
     *
     * @param direction as it is told: {@code XFRM_POLICY_IN/OUT/FWD}, or 3 and 4 for policies of sockets
     */
    public static UserpolicyInfo info(Policy policy, int direction) {
        PolicySpec spec = policy.spec();
        return new UserpolicyInfo(
                spec.selector(),
                spec.lifetime(),
                StateEncoder.current(policy.usage()),
                spec.priority(),
                spec.index(),
                direction,
                spec.action().ordinal(),
                spec.flags(),
                UserpolicyInfo.SHARE_ANY);
    }

    public static void putInfo(NetlinkWriter out, Policy policy) {
        UserpolicyInfo.write(
                out.room(UserpolicyInfo.BYTES), policy, policy.spec().index() & INDEX_DIRECTION);
    }

    /** The attributes of GETPOLICY's answer and of POLEXPIRE. */
    public static void putAttributes(NetlinkWriter out, PolicySpec spec) {
        putTemplates(out, spec.templates());
        AttributeValues.putSecurityContext(out, spec.securityContext());
        putKeyAttributes(out, spec);
    }

    /** The attributes of NEWPOLICY, UPDPOLICY and DELPOLICY events, which leave out the label. */
    public static void putEventAttributes(NetlinkWriter out, PolicySpec spec) {
        putTemplates(out, spec.templates());
        putKeyAttributes(out, spec);
    }

    /** The attributes of ACQUIRE: the CPU is that of the larval State. */
    public static void putAcquireAttributes(NetlinkWriter out, PolicySpec spec, State larval) {
        putTemplates(out, spec.templates());
        putKeyAttributes(out, spec);
        StateNumber.PCPU.put(out, larval.spec());
    }

    /** The attribute of FLUSHPOLICY events. */
    public static void putType(NetlinkWriter out, PolicySpec.Type type) {
        AttributeValues.putPolicyType(out, type);
    }

    /** What tells policies of one index or selector apart: type, mark, interface id. */
    public static void putKeyAttributes(NetlinkWriter out, PolicySpec spec) {
        AttributeValues.putPolicyType(out, spec.type());
        AttributeValues.putMark(out, spec.mark());
        AttributeValues.putIfId(out, spec.ifId());
    }

    private static void putTemplates(NetlinkWriter out, List<Template> templates) {
        if (templates.isEmpty()) {
            return;
        }
        int attribute = out.beginAttribute(XfrmAttribute.TMPL);
        for (Template template : templates) {
            wire(template).write(out.room(UserTmpl.BYTES));
        }
        out.endAttribute(attribute);
    }

    private static UserTmpl wire(Template template) {
        return UserTmpl.builder()
                .id(template.id())
                .family(template.family())
                .saddr(template.saddr())
                .reqid(template.reqid())
                .mode(template.mode().number())
                .share(template.share())
                .optional(template.optional() ? 1 : 0)
                .authMask(template.authMask())
                .cipherMask(template.cipherMask())
                .compressionMask(template.compressionMask())
                .build();
    }
}
