package org.xfrmbridge.netlink.map;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.netlink.msg.UserTmpl;
import org.xfrmbridge.netlink.msg.UserpolicyId;
import org.xfrmbridge.netlink.msg.UserpolicyInfo;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicyKey;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Template;

/**
 * What a client says of a Policy, as a {@link PolicySpec} or {@link PolicyKey}. Judging it is the core's: an action,
 * direction, type or mode whose number has no name is null.
 */
public final class PolicyDecoder {
    private static final Attributes NO_ATTRIBUTES =
            Attributes.parse(ByteBuffer.allocate(0), 0, XfrmAttribute.POLICIES.maxType());

    private PolicyDecoder() {}

    public static PolicySpec decode(UserpolicyInfo info, Attributes attributes) throws XfrmException {
        AttributeValues.verifySecurityContext(attributes);
        if (attributes.has(XfrmAttribute.OFFLOAD_DEV)) {
            throw new XfrmException(Errno.EINVAL, "this host has no hardware that takes policies");
        }
        // By position: until it is compiled a builder, with its defaults, is 200 bytes of garbage for each request.
        return new PolicySpec(
                info.selector(),
                info.lifetime(),
                info.priority(),
                info.index(),
                Direction.of(info.direction()),
                action(info.action()),
                info.flags(),
                info.share(),
                templates(attributes.look(XfrmAttribute.TMPL)),
                AttributeValues.mark(attributes),
                AttributeValues.ifId(attributes),
                AttributeValues.policyType(attributes),
                null);
    }

    /**
     * IP_XFRM_POLICY and IPV6_XFRM_POLICY, {@code xfrm_compile_policy}: only in and out, and what follows the policy is
     * templates.
     *
     * @param option its value, in native order
     * @throws XfrmException EINVAL
     */
    public static PolicySpec ofSocket(ByteBuffer option) throws XfrmException {
        if (option.remaining() < UserpolicyInfo.BYTES) {
            throw new XfrmException(Errno.EINVAL, "the option is shorter than a policy");
        }
        PolicySpec spec = decode(UserpolicyInfo.read(option), NO_ATTRIBUTES).withTemplates(templates(option));
        if (spec.direction() == Direction.FWD) {
            throw new XfrmException(Errno.EINVAL, "the policy of a socket is one of in and out");
        }
        return spec;
    }

    public static PolicyKey decodeKey(UserpolicyId id, Attributes attributes) throws XfrmException {
        if (id.index() == 0) {
            AttributeValues.verifySecurityContext(attributes);
        }
        return new PolicyKey(
                AttributeValues.policyType(attributes),
                Direction.of(id.direction()),
                id.index(),
                id.selector(),
                AttributeValues.mark(attributes),
                AttributeValues.ifId(attributes),
                null);
    }

    private static PolicySpec.Action action(int number) {
        return switch (number) {
            case 0 -> PolicySpec.Action.ALLOW;
            case 1 -> PolicySpec.Action.BLOCK;
            default -> null;
        };
    }

    /**
     * Reads as many templates as fit: bytes behind the last whole one are nobody's.
     *
     * @param payload of XFRMA_TMPL, or what follows the policy in IP_XFRM_POLICY; null for none
     */
    public static List<Template> templates(ByteBuffer payload) {
        if (payload == null) {
            return List.of();
        }
        if (payload.remaining() / UserTmpl.BYTES == 1) {
            return List.of(template(UserTmpl.read(payload)));
        }
        List<Template> templates = new ArrayList<>();
        while (payload.remaining() >= UserTmpl.BYTES) {
            templates.add(template(UserTmpl.read(payload)));
        }
        return List.copyOf(templates);
    }

    private static Template template(UserTmpl template) {
        return new Template(
                template.id(),
                template.family(),
                template.saddr(),
                template.reqid(),
                Mode.of(template.mode()),
                template.share(),
                template.optional() != 0,
                template.authMask(),
                template.cipherMask(),
                template.compressionMask(),
                Template.allowsAll(template.authMask(), template.cipherMask(), template.compressionMask()));
    }
}
