package org.xfrmbridge.km;

import static org.xfrmbridge.km.XfrmException.refuseIf;

import java.util.List;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Template;

/**
 * What NEWPOLICY, UPDPOLICY, a client's ACQUIRE and IP_XFRM_POLICY refuse by the look of the request:
 * {@code verify_newpolicy_info}, {@code copy_from_user_policy_type} and {@code validate_tmpl}, in the kernel's order. A
 * null action, direction, type or mode stands for a number that names none. Any thread.
 */
public final class PolicyRules {
    /** {@code XFRM_SHARE_UNIQUE}. */
    private static final int SHARE_MAX = 3;

    /** All that the kernel reports of a policy's share: it keeps none. */
    private static final int SHARE_ANY = 0;

    private PolicyRules() {}

    /** Returns the policy as it is kept: templates that name no family get the one they follow. Refuses with EINVAL. */
    public static PolicySpec verify(PolicySpec spec) throws XfrmException {
        refuseIf(spec.share() < 0 || spec.share() > SHARE_MAX, "there is no such share");
        refuseIf(spec.action() == null, "a policy allows or blocks");
        refuseIf(!AddressFamily.isIp(spec.selector().family()), "the selector's family is neither IPv4 nor IPv6");
        StateRules.verifyPrefixes(
                spec.selector(), AddressFamily.bits(spec.selector().family()));
        requireDirection(spec.direction());
        refuseIf(
                spec.index() != 0
                        && directionOf(spec.index()) != spec.direction().number(),
                "the direction within the index is another one");
        requireType(spec.type());
        List<Template> templates = templates(spec);
        return templates == spec.templates() && spec.share() == SHARE_ANY
                ? spec
                : spec.toBuilder().templates(templates).share(SHARE_ANY).build();
    }

    static void requireDirection(Direction direction) throws XfrmException {
        refuseIf(direction == null, "the direction is none of in, out and fwd");
    }

    static void requireType(PolicySpec.Type type) throws XfrmException {
        refuseIf(type == null, "there is no such policy type");
    }

    /** {@code xfrm_policy_id2dir}. */
    static int directionOf(int index) {
        return index & 7;
    }

    /** The list itself if it cannot change and all of its templates name a family. */
    private static List<Template> templates(PolicySpec spec) throws XfrmException {
        List<Template> asked = spec.templates();
        refuseIf(asked.size() > Template.MAX_DEPTH, "a policy has at most " + Template.MAX_DEPTH + " templates");
        int policyFamily = spec.selector().family();
        int familyBefore = policyFamily;
        Template[] kept = null;
        for (int i = 0; i < asked.size(); i++) {
            Template template = asked.get(i);
            if (template.family() == AddressFamily.UNSPEC) {
                template = template.toBuilder().family(policyFamily).build();
                kept = kept == null ? asked.toArray(Template[]::new) : kept;
                kept[i] = template;
            }
            verify(template, familyBefore, spec.direction());
            familyBefore = template.family();
        }
        return kept == null ? List.copyOf(asked) : List.of(kept);
    }

    private static void verify(Template template, int familyBefore, Direction direction) throws XfrmException {
        boolean tunnel =
                template.mode() == Mode.TUNNEL || template.mode() == Mode.BEET || template.mode() == Mode.IPTFS;
        refuseIf(
                tunnel && template.optional() && direction == Direction.OUT,
                "an optional template of an outbound policy cannot have this mode");
        refuseIf(!tunnel && template.family() != familyBefore, "the mode of the template cannot change the family");
        refuseIf(template.mode() == null, "there is no such mode");
        refuseIf(!AddressFamily.isIp(template.family()), "the template's family is neither IPv4 nor IPv6");
        refuseIf(!IpProtocol.isTransform(template.id().protocol()), "the template's protocol is no transform");
    }
}
