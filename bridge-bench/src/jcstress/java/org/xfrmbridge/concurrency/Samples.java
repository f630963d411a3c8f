package org.xfrmbridge.concurrency;

import java.util.List;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
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
        return new State(
                StateSpec.builder()
                        .family(AddressFamily.INET)
                        .mode(Mode.TUNNEL)
                        .id(id(spi))
                        .saddr(LEFT)
                        .reqid(1)
                        .build(),
                State.Phase.VALID,
                new Usage(spi));
    }

    static StateId id(int spi) {
        return new StateId(RIGHT, spi, IpProtocol.ESP);
    }

    static Template template() {
        return Template.builder()
                .id(id(0))
                .family(AddressFamily.INET)
                .saddr(LEFT)
                .reqid(1)
                .mode(Mode.TUNNEL)
                .build();
    }

    /** @param prefixBits of both sides; 32 goes into the table of exact policies, less into the tries */
    static PolicySpec policy(int prefixBits, int priority) {
        Selector selector = Selector.of(AddressFamily.INET)
                .saddr(LEFT.prefix(prefixBits), prefixBits)
                .daddr(RIGHT.prefix(prefixBits), prefixBits)
                .build();
        return PolicySpec.builder()
                .selector(selector)
                .priority(priority)
                .templates(List.of(template()))
                .build();
    }

    /** One between the networks of 16 bits, for packets that {@link #flow} is none of. */
    static PolicySpec ofPort(int number) {
        return PolicySpec.builder()
                .selector(Selector.of(AddressFamily.INET)
                        .saddr(LEFT.prefix(16), 16)
                        .daddr(RIGHT.prefix(16), 16)
                        .dport(1 + number)
                        .build())
                .build();
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
