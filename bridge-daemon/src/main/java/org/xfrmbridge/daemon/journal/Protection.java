package org.xfrmbridge.daemon.journal;

import org.xfrmbridge.db.Dump;
import org.xfrmbridge.km.XfrmService;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Template;

/**
 * What a database closes: while there is any of it, the end of the process opens nothing. A policy that only lets pass,
 * as those of IKE daemons' sockets do, protects nothing.
 *
 * @param policies that block, or that want packets protected; those of sockets among them
 * @param blocksByDefault whether a default verdict (SETDEFAULT) does
 */
public record Protection(int policies, boolean blocksByDefault) {
    /** {@code XFRM_USERPOLICY_BLOCK}. */
    private static final int BLOCK = 1;

    /** Control thread, or the one that the service is left to. */
    public static Protection of(XfrmService service) {
        int policies = 0;
        Dump<Policy> all = service.policies(null);
        for (Policy policy = all.next(); policy != null; policy = all.next()) {
            policies += protects(policy.spec()) ? 1 : 0;
        }
        XfrmService.Defaults defaults = service.defaults();
        return new Protection(
                policies, defaults.in() == BLOCK || defaults.forward() == BLOCK || defaults.out() == BLOCK);
    }

    /** Whether it lets packets pass in the clear, also when there is no State. */
    static boolean letsPass(PolicySpec spec) {
        return spec.action() == PolicySpec.Action.ALLOW
                && spec.templates().stream().allMatch(Template::optional);
    }

    private static boolean protects(PolicySpec spec) {
        return spec.action() == PolicySpec.Action.BLOCK || !spec.templates().isEmpty();
    }

    public boolean isAny() {
        return policies > 0 || blocksByDefault;
    }

    /** For people: "3 policies", "1 policy and a default verdict". */
    @Override
    public String toString() {
        String counted = policies == 1 ? "1 policy" : policies + " policies";
        String verdict = "a default verdict that blocks";
        return !blocksByDefault ? counted : policies == 0 ? verdict : counted + " and " + verdict;
    }
}
