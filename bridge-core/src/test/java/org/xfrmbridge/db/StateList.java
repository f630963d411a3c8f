package org.xfrmbridge.db;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.State.Phase;
import org.xfrmbridge.xfrm.StateFlags;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Template;

/** The naive Sad: a list that is searched from its young end, with the kernel's loops written out. */
public final class StateList {
    /** Oldest first. */
    public final List<State> states = new ArrayList<>();

    /** What there is for a template: the State to use; else whether one is being negotiated, or one has failed. */
    public static final class Verdict {
        public State best;
        public boolean acquiring;
        public boolean acquiringForCpu;
        public boolean failed;

        /** Whether a key manager is to be asked. */
        public boolean isNothing() {
            return best == null && !acquiring && !failed;
        }

        /** Whether one is to be asked for a State of the flow's CPU, beside the one that there is. */
        public boolean lacksStateOfCpu(PolicySpec policy, Flow flow) {
            return best != null
                    && (policy.flags() & PolicySpec.CPU_ACQUIRE) != 0
                    && flow.cpu >= 0
                    && best.spec().pcpu() != flow.cpu
                    && !acquiringForCpu;
        }
    }

    /** {@code xfrm_state_find}: States of the source, else of any. */
    public Verdict find(PolicySpec policy, Template template, Flow flow, Address daddr, Address saddr) {
        Verdict verdict = new Verdict();
        collect(verdict, policy, template, flow, daddr, saddr);
        boolean acquiringForCpu = verdict.acquiringForCpu;
        if (verdict.best == null && !verdict.acquiring) {
            collect(verdict, policy, template, flow, daddr, Address.ANY);
        }
        verdict.acquiringForCpu = acquiringForCpu;
        return verdict;
    }

    /**
     * The loop and the cases of xfrm_state_find and xfrm_state_look_at, but that what is being negotiated for one CPU
     * keeps nobody from using the State for all, and that the latest added comes first whatever times clients have set.
     */
    private void collect(
            Verdict verdict, PolicySpec policy, Template template, Flow flow, Address daddr, Address saddr) {
        int mark = policy.mark().value() & policy.mark().mask();
        List<State> serving = new ArrayList<>();
        for (State state : states.reversed()) {
            StateSpec spec = state.spec();
            boolean serves = spec.family() == template.family()
                    && spec.reqid() == template.reqid()
                    && spec.mark().fits(mark)
                    && spec.ifId() == policy.ifId()
                    && !spec.hasFlag(StateFlags.WILDRECV)
                    && spec.id().daddr().equalsAs(daddr, spec.family())
                    && spec.saddr().equalsAs(saddr, spec.family())
                    && spec.mode() == template.mode()
                    && spec.id().protocol() == template.id().protocol()
                    && (template.id().spi() == 0
                            || template.id().spi() == spec.id().spi());
            if (serves) {
                serving.add(state);
            }
        }
        serving.sort(Comparator.comparingLong(state -> -state.usage().addSeconds()));
        serving.forEach(state -> lookAt(verdict, state, flow));
    }

    private static void lookAt(Verdict verdict, State state, Flow flow) {
        boolean selected = isSelected(state.spec().selector(), flow);
        State best = verdict.best;
        if (state.phase() == Phase.VALID) {
            int cpu = state.spec().pcpu();
            boolean better = best == null
                    || best.spec().pcpu() == -1 && cpu != -1 && cpu == flow.cpu
                    || best.isDying() && !state.isDying()
                    || best.isDying() == state.isDying()
                            && best.usage().addSeconds() < state.usage().addSeconds();
            verdict.best = selected && (cpu == -1 || cpu == flow.cpu) && better ? state : best;
        } else if (state.phase() == Phase.ACQUIRING) {
            verdict.acquiring |= best == null && state.spec().pcpu() == -1;
            verdict.acquiringForCpu |= state.spec().pcpu() == flow.cpu;
        } else {
            verdict.failed |= selected;
        }
    }

    private static boolean isSelected(Selector selector, Flow flow) {
        return selector.family() == 0 || selector.family() == flow.family && PolicyList.matches(selector, flow);
    }
}
