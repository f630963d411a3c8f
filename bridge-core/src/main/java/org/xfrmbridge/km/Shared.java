package org.xfrmbridge.km;

import java.util.Arrays;
import java.util.List;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Template;

/**
 * Lets equal parts of many entries be one object: addresses, limits, templates, the selectors of States. Most entries of a large database differ in few
 * of them. Remembers a fixed number of values, those seen last, so that nothing needs to be forgotten. Control thread only.
 */
final class Shared {
    private static final int VALUES = 1 << 12;

    private final Object[] values = new Object[VALUES];

    /** Of the value in the same place: it is mostly another one, and must not be fetched from memory to see that. */
    private final int[] hashes = new int[VALUES];

    /** An equal value, maybe this one. Only for values that never change. */
    @SuppressWarnings("unchecked")
    <T> T of(T value) {
        if (value == null) {
            return null;
        }
        // Values of all zeros have the hash 0 in every class.
        int hash = (value.hashCode() + value.getClass().hashCode()) * 0x9E3779B9;
        int at = hash >>> Integer.SIZE - Integer.numberOfTrailingZeros(VALUES);
        if (hashes[at] == hash && value.equals(values[at])) {
            return (T) values[at];
        }
        values[at] = value;
        hashes[at] = hash;
        return value;
    }

    void share(StateSpec.Builder spec) {
        spec.selector = of(spec.selector);
        spec.id = new StateId(of(spec.id.daddr()), spec.id.spi(), spec.id.protocol());
        spec.saddr = of(spec.saddr);
        spec.lifetime = of(spec.lifetime);
        spec.mark = of(spec.mark);
        spec.outputMark = of(spec.outputMark);
        spec.encapsulation = of(spec.encapsulation);
    }

    PolicySpec share(PolicySpec s) {
        Lifetime lifetime = of(s.lifetime());
        List<Template> templates = share(s.templates());
        Mark mark = of(s.mark());
        if (lifetime == s.lifetime() && templates == s.templates() && mark == s.mark()) {
            return s;
        }
        return new PolicySpec(
                s.selector(), lifetime, s.priority(), s.index(), s.direction(), s.action(), s.flags(), s.share(), templates,
                mark, s.ifId(), s.type(), s.securityContext());
    }

    private List<Template> share(List<Template> templates) {
        return switch (templates.size()) {
            case 0 -> List.of();
            case 1 -> share(templates.getFirst(), templates);
            default -> {
                Template[] shared = new Template[templates.size()];
                Arrays.setAll(shared, i -> share(templates.get(i)));
                yield of(List.of(shared));
            }
        };
    }

    /** A list of one, as most are. */
    private List<Template> share(Template only, List<Template> list) {
        Template shared = share(only);
        return of(shared == only ? list : List.of(shared));
    }

    private Template share(Template t) {
        Address daddr = of(t.id().daddr());
        StateId id = of(daddr == t.id().daddr() ? t.id() : new StateId(daddr, t.id().spi(), t.id().protocol()));
        Address saddr = of(t.saddr());
        if (id == t.id() && saddr == t.saddr()) {
            return of(t);
        }
        return of(new Template(
                id, t.family(), saddr, t.reqid(), t.mode(), t.share(), t.optional(),
                t.authMask(), t.cipherMask(), t.compressionMask(), t.allAlgorithms()));
    }
}
