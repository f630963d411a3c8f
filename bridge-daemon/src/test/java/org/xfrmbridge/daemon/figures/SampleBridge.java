package org.xfrmbridge.daemon.figures;

import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.xfrmbridge.datapath.XfrmStats;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.io.ClientLoad;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.time.ManualClock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;

/** The control side of a bridge with entries to look at, and a clock that stands still. */
public final class SampleBridge {
    /** Of each SA: must be seen nowhere. */
    public static final String KEY = "000102030405060708090a0b0c0d0e0f10111213";

    public final ManualClock clock = new ManualClock();
    public final XfrmEngine engine = XfrmEngine.builder(new Databases(), clock).build();
    public final XfrmStats stats = new XfrmStats();
    public final FiguresSource source =
            new FiguresSource("in the stack", engine, stats, () -> Map.of("netlink", new ClientLoad(2, 100, 3)), clock);

    /** An ESP tunnel from 192.0.2.1 to 192.0.2.2, reqid 5, that has carried packets of 100 bytes. */
    public State addState(int spi, int packets, Consumer<StateSpecBuilder> change) throws XfrmException {
        StateSpecBuilder spec = StateSpec.builder()
                .id(new StateId(Address.parse("192.0.2.2"), spi, IpProtocol.ESP))
                .saddr(Address.parse("192.0.2.1"))
                .family(AddressFamily.INET)
                .mode(Mode.TUNNEL)
                .reqid(5)
                .replayWindow(32)
                .aead(new Algorithm(
                        "rfc4106(gcm(aes))", 160, 128, HexFormat.of().parseHex(KEY)));
        change.accept(spec);
        State state = engine.addState(spec.build(), Origin.KERNEL);
        for (int i = 0; i < packets; i++) {
            state.sequence();
            state.count(100, clock.epochSeconds());
        }
        return state;
    }

    /** An outbound one that protects with reqid 5. */
    public Policy addPolicy(String source, String destination, int uses) throws XfrmException {
        PolicySpec spec = PolicySpec.builder()
                .selector(Selector.between(source, destination).build())
                .priority(100)
                .templates(List.of(Template.builder()
                        .id(new StateId(Address.parse("192.0.2.2"), 0, IpProtocol.ESP))
                        .family(AddressFamily.INET)
                        .saddr(Address.parse("192.0.2.1"))
                        .reqid(5)
                        .mode(Mode.TUNNEL)
                        .build()))
                .build();
        Policy policy = engine.addPolicy(spec, true, Origin.KERNEL);
        for (int i = 0; i < uses; i++) {
            policy.touch(clock.epochSeconds());
        }
        return policy;
    }
}
