package org.xfrmbridge.xfrm;

import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.List;

/**
 * All that a client says of a Policy: {@code struct xfrm_userpolicy_info} and its attributes.
 *
 * @param index 0 lets the {@link org.xfrmbridge.db.Spd Spd} choose one; its low three bits hold the direction
 * @param priority unsigned; the lowest value wins
 * @param flags {@code XFRM_POLICY_LOCALOK} 1, {@code ICMP} 2, {@code CPU_ACQUIRE} 4
 * @param templates at most {@link Template#MAX_DEPTH}, innermost transform first
 * @param securityContext the attribute as it came, null if absent
 */
@RecordBuilder
public record PolicySpec(
        Selector selector,
        Lifetime lifetime,
        int priority,
        int index,
        Direction direction,
        Action action,
        int flags,
        int share,
        List<Template> templates,
        Mark mark,
        int ifId,
        Type type,
        SecurityContext securityContext)
        implements PolicyName, PolicySpecBuilder.With {
    public static final int LOCAL_OK = 1;
    public static final int ICMP = 2;
    public static final int CPU_ACQUIRE = 4;

    /** {@code XFRM_POLICY_ALLOW} and {@code XFRM_POLICY_BLOCK}. The ordinal is the kernel's number. */
    public enum Action {
        ALLOW,
        BLOCK
    }

    /** {@code XFRM_POLICY_TYPE_MAIN} and {@code XFRM_POLICY_TYPE_SUB}. The ordinal is the kernel's number. */
    public enum Type {
        MAIN,
        SUB
    }

    /** An outbound policy for all IPv4 traffic that lets it pass; change what should be otherwise. */
    public static PolicySpecBuilder builder() {
        return PolicySpecBuilder.builder()
                .selector(Selector.any(AddressFamily.INET))
                .lifetime(Lifetime.UNLIMITED)
                .direction(Direction.OUT)
                .action(Action.ALLOW)
                .templates(List.of())
                .mark(Mark.NONE)
                .type(Type.MAIN);
    }

    public PolicySpecBuilder toBuilder() {
        return PolicySpecBuilder.builder(this);
    }

    /** Whether ICMP errors about what the policy protects may go through its States, too: {@code XFRM_POLICY_ICMP}. */
    public boolean allowsIcmpErrors() {
        return (flags & ICMP) != 0;
    }

    /**
     * Whether a State is to be asked for that is for a CPU alone: {@code XFRM_POLICY_CPU_ACQUIRE}.
     *
     * @param cpu or {@link Flow#NO_CPU}
     * @param found the valid State that there is
     */
    public boolean wantsStateOf(int cpu, State found) {
        return (flags & CPU_ACQUIRE) != 0
                && cpu != Flow.NO_CPU
                && cpu != found.spec().pcpu();
    }

    /** Whether a flow is one that the policy is for, but for its direction. */
    public boolean matches(Flow flow) {
        return ifId == flow.ifId && selector.matches(flow, flow.family) && mark.fits(flow.mark);
    }

    public PolicySpec withSanitizedMark() {
        return mark.isSanitized() ? this : toBuilder().mark(mark.sanitized()).build();
    }
}
