package org.xfrmbridge.km;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;
import org.xfrmbridge.db.Sad;
import org.xfrmbridge.km.XfrmService.AlgorithmMasks;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;
import org.xfrmbridge.xfrm.Usage;

/**
 * Asks key managers for States that packets want: the second half of {@code xfrm_state_find}, and
 * {@code xfrm_add_acquire}. Control thread only.
 */
final class Acquirer {
    /** What the datapath told; the flow is a copy. */
    record Want(
            Policy policy, Template template, Flow flow, Address daddr, Address saddr, ToIntFunction<Flow> device) {}

    private final Sad sad;
    private final StateLifecycle states;
    private final PendingAcquires acquires;
    private final KeyManagers keyManagers;
    private final SysctlValues sysctls;
    private final Clock clock;
    private int lastSequence;

    Acquirer(
            Sad sad,
            StateLifecycle states,
            PendingAcquires acquires,
            KeyManagers keyManagers,
            SysctlValues sysctls,
            Clock clock) {
        this.sad = sad;
        this.states = states;
        this.acquires = acquires;
        this.keyManagers = keyManagers;
        this.sysctls = sysctls;
        this.clock = clock;
    }

    /**
     * Leaves a larval State where a key manager will answer; while it lives, packets that want the same wait for it and
     * ask no more. Does nothing if what was wanted has come, or is being asked for, since the packet passed, or if too
     * much is being asked for.
     */
    void acquire(Want want) {
        Template template = want.template();
        State found = sad.find(want.policy(), template, want.flow(), want.daddr(), want.saddr());
        boolean forCpu = found != null && isForCpu(want, found);
        boolean answered = want.policy().isDead() || found != null && !forCpu || spiIsTaken(want);
        if (answered || !acquires.hasRoom(want.policy())) {
            return;
        }
        State larval = larval(larvalSpec(want, forCpu ? want.flow().cpu : StateSpec.ABSENT));
        if (ask(larval, template, want.policy())) {
            states.installLarval(larval);
            acquires.begin(larval, want.policy());
        }
    }

    /**
     * Tells all key managers of one ACQUIRE per template as if packets had wanted them, and leaves nothing behind. Each
     * ACQUIRE shows the whole policy, with the masks in the templates that were asked for so far.
     */
    void announce(Selector selector, StateSpec request, PolicySpec policySpec, AlgorithmMasks masks)
            throws XfrmException {
        PolicySpec verified = PolicyRules.verify(policySpec);
        if (!states.hasCpu(request)) {
            throw new XfrmException(Errno.EINVAL, "this host has no CPU of that number");
        }
        List<Template> templates = new ArrayList<>(verified.templates());
        for (int i = 0; i < templates.size(); i++) {
            Template template = withMasks(templates.get(i), masks);
            templates.set(i, template);
            StateSpecBuilder spec = request.toBuilder()
                    .selector(selector)
                    .id(template.id())
                    .mode(template.mode())
                    .reqid(template.reqid())
                    .family(template.family())
                    .seq(nextSequence());
            // It is never installed, so it was never added.
            Policy policy = new Policy(verified.withTemplates(List.copyOf(templates)), 0, 0);
            ask(larval(spec.build()), template, policy);
        }
    }

    private static Template withMasks(Template t, AlgorithmMasks masks) {
        return t.toBuilder()
                .authMask(masks.auth())
                .cipherMask(masks.cipher())
                .compressionMask(masks.compression())
                .allAlgorithms(Template.allowsAll(masks.auth(), masks.cipher(), masks.compression()))
                .build();
    }

    private boolean ask(State larval, Template template, Policy policy) {
        return keyManagers.acquire(new ChangeListener.Acquire(
                larval, template, policy, policy.spec().direction()));
    }

    private State larval(StateSpec spec) {
        return new State(spec, State.Phase.ACQUIRING, new Usage(clock.epochSeconds()));
    }

    /** Whether it is for a CPU that a State is wanted, beside the one for all, and none is being asked for. */
    private boolean isForCpu(Want want, State found) {
        return found.isValid()
                && want.policy().spec().wantsStateOf(want.flow().cpu, found)
                && sad.acquiringForCpu(want.policy(), want.template(), want.flow().cpu, want.daddr(), want.saddr())
                        == null;
    }

    /** A template that names its Spi can get no other State than the one which has it, fitting or not. */
    private boolean spiIsTaken(Want want) {
        StateId id = want.template().id();
        Address daddr = want.daddr();
        return id.spi() != 0
                && sad.lookup(
                                new StateId(daddr, id.spi(), id.protocol()),
                                want.template().family(),
                                want.policy().spec().mark().maskedValue())
                        != null;
    }

    /** {@code xfrm_init_tempstate}: for this session only, until the key manager says for what else. */
    private StateSpec larvalSpec(Want want, int cpu) {
        Template template = want.template();
        int family = template.family();
        StateId id = template.id();
        return StateSpec.builder()
                .selector(exactly(want.flow(), want.device().applyAsInt(want.flow())))
                .id(id.daddr().isAny(family) ? new StateId(want.daddr(), id.spi(), id.protocol()) : id)
                .saddr(template.saddr().isAny(family) ? want.saddr() : template.saddr())
                .family(family)
                .mode(template.mode())
                .reqid(template.reqid())
                .mark(want.policy().spec().mark())
                .ifId(want.policy().spec().ifId())
                .direction(StateSpec.DIRECTION_OUT)
                .pcpu(cpu)
                .seq(nextSequence())
                .lifetime(LarvalStates.lifetime(sysctls.acquireExpireSeconds()))
                .replayMaxDifference(0)
                .replayMaxAge(0)
                .build();
    }

    private static Selector exactly(Flow flow, int ifindex) {
        int bits = AddressFamily.bits(flow.family);
        return Selector.of(flow.family)
                .saddr(flow.saddr(), bits)
                .daddr(flow.daddr(), bits)
                .sport(flow.sport)
                .dport(flow.dport)
                .protocol(flow.protocol)
                .ifindex(ifindex)
                .build();
    }

    /** {@code xfrm_get_acqseq}: never 0, which stands for none. */
    private int nextSequence() {
        lastSequence = lastSequence == -1 ? 1 : lastSequence + 1;
        return lastSequence;
    }
}
