package org.xfrmbridge.concurrency;

import java.util.List;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Template;
import org.xfrmbridge.xfrm.Usage;

/** Entries between 192.0.2.1 and 192.0.2.2. */
final class Samples {
    static final Address LEFT = Address.parse("192.0.2.1");
    static final Address RIGHT = Address.parse("192.0.2.2");

    private Samples() {}

    static State state(int spi) {
        StateSpec.Builder spec = StateSpec.builder();
        spec.family = AddressFamily.INET;
        spec.mode = Mode.TUNNEL;
        spec.id = id(spi);
        spec.saddr = LEFT;
        spec.reqid = 1;
        return new State(spec.build(), State.Phase.VALID, new Usage(spi));
    }

    static StateId id(int spi) {
        return new StateId(RIGHT, spi, IpProtocol.ESP);
    }

    static Template template() {
        return new Template(id(0), AddressFamily.INET, LEFT, 1, Mode.TUNNEL, 0, false, -1, -1, -1);
    }

    /** @param prefixBits of both sides; 32 goes into the table of exact policies, less into the tries */
    static PolicySpec policy(int prefixBits, int priority) {
        Selector selector = new Selector(
                RIGHT.prefix(prefixBits), LEFT.prefix(prefixBits), 0, 0, 0, 0, AddressFamily.INET, prefixBits, prefixBits, 0, 0, 0);
        return new PolicySpec(
                selector, Lifetime.UNLIMITED, priority, 0, Direction.OUT, PolicySpec.Action.ALLOW, 0, 0, List.of(template()),
                Mark.NONE, 0, PolicySpec.Type.MAIN, null);
    }

    /** One between the networks of 16 bits, for packets that {@link #flow} is none of. */
    static PolicySpec ofPort(int number) {
        PolicySpec.Builder policy = PolicySpec.builder();
        policy.selector = new Selector(
                RIGHT.prefix(16), LEFT.prefix(16), 1 + number, 0xffff, 0, 0, AddressFamily.INET, 16, 16, 0, 0, 0);
        return policy.build();
    }

    static Flow flow() {
        Flow flow = new Flow();
        flow.family = AddressFamily.INET;
        flow.saddrHigh = LEFT.high();
        flow.daddrHigh = RIGHT.high();
        flow.protocol = IpProtocol.UDP;
        return flow;
    }

    /** Its priority, 0 for null. */
    static int priority(Policy policy) {
        return policy == null ? 0 : policy.spec().priority();
    }

    /** Its Spi, 0 for null. */
    static int spi(State state) {
        return state == null ? 0 : state.id().spi();
    }
}
