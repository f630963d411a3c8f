package org.xfrmbridge.km;

import java.util.List;
import java.util.stream.Collectors;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Template;

/**
 * Lets equal parts of many entries be one object: addresses, selectors, limits, templates. Most entries of a large database differ in few
 * of them. Remembers a fixed number of values, those seen last, so that nothing needs to be forgotten. Control thread only.
 */
final class Shared {
    private static final int VALUES = 1 << 12;

    private final Object[] values = new Object[VALUES];

    /** An equal value, maybe this one. Only for values that never change. */
    @SuppressWarnings("unchecked")
    <T> T of(T value) {
        if (value == null) {
            return null;
        }
        // Values of all zeros have the hash 0 in every class.
        int hash = (value.hashCode() + value.getClass().hashCode()) * 0x9E3779B9;
        int at = hash >>> Integer.SIZE - Integer.numberOfTrailingZeros(VALUES);
        if (value.equals(values[at])) {
            return (T) values[at];
        }
        values[at] = value;
        return value;
    }

    void share(StateSpec.Builder spec) {
        spec.selector = of(share(spec.selector));
        spec.id = new StateId(of(spec.id.daddr()), spec.id.spi(), spec.id.protocol());
        spec.saddr = of(spec.saddr);
        spec.lifetime = of(spec.lifetime);
        spec.mark = of(spec.mark);
        spec.outputMark = of(spec.outputMark);
        spec.encapsulation = of(spec.encapsulation);
    }

    PolicySpec share(PolicySpec s) {
        Lifetime lifetime = of(s.lifetime());
        List<Template> templates = of(s.templates().stream().map(this::share).collect(Collectors.toUnmodifiableList()));
        return new PolicySpec(
                share(s.selector()), lifetime, s.priority(), s.index(), s.direction(), s.action(), s.flags(), s.share(), templates,
                of(s.mark()), s.ifId(), s.type(), s.securityContext());
    }

    private Selector share(Selector s) {
        return new Selector(
                of(s.daddr()), of(s.saddr()), s.dport(), s.dportMask(), s.sport(), s.sportMask(), s.family(),
                s.daddrPrefix(), s.saddrPrefix(), s.protocol(), s.ifindex(), s.user());
    }

    private Template share(Template t) {
        StateId id = of(new StateId(of(t.id().daddr()), t.id().spi(), t.id().protocol()));
        return of(new Template(
                id, t.family(), of(t.saddr()), t.reqid(), t.mode(), t.share(), t.optional(),
                t.authMask(), t.cipherMask(), t.compressionMask(), t.allAlgorithms()));
    }
}
