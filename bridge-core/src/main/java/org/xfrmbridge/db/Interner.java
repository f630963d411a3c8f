package org.xfrmbridge.db;

import java.util.List;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;

/**
 * Lets equal parts of many entries be one object: addresses, limits, templates, the selectors of States. Most entries
 * of a large database differ in few of them. Remembers a fixed number of values, those seen last, so that nothing needs
 * to be forgotten. Control thread only.
 */
public final class Interner {
    private static final int VALUES = 1 << 12;

    private final Object[] values = new Object[VALUES];

    /** Of the value in the same slot: it is mostly another one, and must not be fetched from memory to see that. */
    private final int[] hashes = new int[VALUES];

    /** An equal value, maybe this one. Only for values that never change. */
    private <T> T of(T value) {
        if (value == null) {
            return null;
        }
        int hash = hash(value);
        T known = known(value, hash);
        return known != null ? known : remember(value, hash);
    }

    private <T> T remember(T value, int hash) {
        values[slot(hash)] = value;
        hashes[slot(hash)] = hash;
        return value;
    }

    @SuppressWarnings("unchecked")
    private <T> T known(T value, int hash) {
        int at = slot(hash);
        return hashes[at] == hash && value.equals(values[at]) ? (T) values[at] : null;
    }

    /** Values of all zeros have the hash 0 in every class. */
    private static int hash(Object value) {
        return (value.hashCode() + value.getClass().hashCode()) * 0x9E3779B9;
    }

    private static int slot(int hash) {
        return hash >>> Integer.SIZE - Integer.numberOfTrailingZeros(VALUES);
    }

    public void intern(StateSpecBuilder spec) {
        spec.selector(of(spec.selector()));
        spec.id(new StateId(of(spec.id().daddr()), spec.id().spi(), spec.id().protocol()));
        spec.saddr(of(spec.saddr()));
        spec.lifetime(of(spec.lifetime()));
        spec.mark(of(spec.mark()));
        spec.outputMark(of(spec.outputMark()));
        spec.encapsulation(of(spec.encapsulation()));
    }

    /** What is kept of a spec. @param index what it is to have */
    PolicySpec intern(PolicySpec s, int index) {
        Lifetime lifetime = s.lifetime() == Lifetime.UNLIMITED ? s.lifetime() : of(s.lifetime());
        List<Template> templates = intern(s.templates());
        Mark mark = s.mark() == Mark.NONE ? s.mark() : of(s.mark());
        return new PolicySpec(
                s.selector(),
                lifetime,
                s.priority(),
                index,
                s.direction(),
                s.action(),
                s.flags(),
                s.share(),
                templates,
                mark,
                s.ifId(),
                s.type(),
                s.securityContext());
    }

    FieldMatch intern(FieldMatch fields) {
        return fields == FieldMatch.ANY ? fields : of(fields);
    }

    /** Whole lists first: mostly an equal one is known, and none of its parts need be looked at. */
    private List<Template> intern(List<Template> templates) {
        if (templates.isEmpty()) {
            return List.of();
        }
        int hash = hash(templates);
        List<Template> known = known(templates, hash);
        return known != null ? known : remember(internEach(templates), hash);
    }

    private List<Template> internEach(List<Template> templates) {
        if (templates.size() == 1) {
            return List.of(intern(templates.getFirst()));
        }
        Template[] each = new Template[templates.size()];
        for (int i = 0; i < each.length; i++) {
            each[i] = intern(templates.get(i));
        }
        return List.of(each);
    }

    private Template intern(Template t) {
        Address daddr = of(t.id().daddr());
        StateId id = of(daddr == t.id().daddr() ? t.id() : new StateId(daddr, t.id().spi(), t.id().protocol()));
        Address saddr = of(t.saddr());
        if (id == t.id() && saddr == t.saddr()) {
            return of(t);
        }
        return of(t.toBuilder().id(id).saddr(saddr).build());
    }
}
