package org.xfrmbridge.km;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.function.Executable;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.db.Dump;
import org.xfrmbridge.db.Sad;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.km.XfrmService.SpiRequest;
import org.xfrmbridge.time.ManualClock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.PolicyKey;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateKey;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Template;

/** An engine with its databases, a clock that stands still, a key manager that writes down, and requests to vary. */
class EngineFixture {
    static final Address LEFT = Address.parse("192.0.2.1");
    static final Address RIGHT = Address.parse("198.51.100.2");
    static final String GCM_KEY = "000102030405060708090a0b0c0d0e0f10111213";
    static final Origin ASKER = new Origin(7, 1234);

    final ManualClock clock = new ManualClock();
    final Databases databases = new Databases();
    final Sad sad = databases.sad();
    final Spd spd = databases.spd();
    final RecordingKeyManager keyManager = new RecordingKeyManager();
    int wakeups;
    XfrmEngine engine;

    EngineFixture() {
        start(builder());
    }

    final XfrmEngine.Builder builder() {
        return XfrmEngine.builder(databases, clock).random(new Random(1)).wakeup(() -> wakeups++);
    }

    /** An engine for the databases as they are: before the first State. */
    final void start(XfrmEngine.Builder setup) {
        engine = setup.build();
        engine.register(keyManager);
    }

    /** An ESP tunnel with AES-GCM, as the test wants it different. */
    static StateSpec esp(int spi, Consumer<StateSpecBuilder> change) {
        StateSpecBuilder spec = StateSpec.builder()
                .id(new StateId(RIGHT, spi, IpProtocol.ESP))
                .saddr(LEFT)
                .family(AddressFamily.INET)
                .mode(Mode.TUNNEL)
                .reqid(1)
                .replayWindow(32)
                .aead(gcm());
        change.accept(spec);
        return spec.build();
    }

    static StateSpec esp(int spi) {
        return esp(spi, spec -> {});
    }

    static Algorithm gcm() {
        return algorithm("rfc4106(gcm(aes))", GCM_KEY, 128);
    }

    static Algorithm algorithm(String name, String hexKey, int icvBits) {
        return new Algorithm(name, hexKey.length() * 4, icvBits, HexFormat.of().parseHex(hexKey));
    }

    static StateKey key(int spi) {
        return new StateKey(new StateId(RIGHT, spi, IpProtocol.ESP), AddressFamily.INET, Mark.NONE, null);
    }

    static Lifetime seconds(long softAdd, long hardAdd, long softUse, long hardUse) {
        long none = Lifetime.INFINITE;
        return Lifetime.builder()
                .softAddSeconds(softAdd)
                .hardAddSeconds(hardAdd)
                .softUseSeconds(softUse)
                .hardUseSeconds(hardUse)
                .build();
    }

    static Lifetime traffic(long softBytes, long hardBytes, long softPackets, long hardPackets) {
        return Lifetime.builder()
                .softBytes(softBytes)
                .hardBytes(hardBytes)
                .softPackets(softPackets)
                .hardPackets(hardPackets)
                .build();
    }

    static Selector hosts(String saddr, String daddr) {
        return Selector.of(AddressFamily.INET)
                .saddr(Address.parse(saddr), 32)
                .daddr(Address.parse(daddr), 32)
                .build();
    }

    static Template tunnel(int reqid) {
        return Template.builder()
                .id(new StateId(RIGHT, 0, IpProtocol.ESP))
                .family(AddressFamily.INET)
                .saddr(LEFT)
                .reqid(reqid)
                .mode(Mode.TUNNEL)
                .build();
    }

    static PolicySpec policy(Selector selector, Template... templates) {
        return PolicySpec.builder()
                .selector(selector)
                .priority(100)
                .templates(List.of(templates))
                .build();
    }

    static PolicyKey byIndex(int index, Direction direction) {
        return new PolicyKey(PolicySpec.Type.MAIN, direction, index, Selector.any(0), Mark.NONE, 0, null);
    }

    static PolicyKey bySelector(PolicySpec spec) {
        return new PolicyKey(spec.type(), spec.direction(), 0, spec.selector(), spec.mark(), spec.ifId(), null);
    }

    State allocate(StateSpec spec, int min, int max) throws XfrmException {
        return engine.allocateSpi(new SpiRequest(spec, min, max, ASKER));
    }

    /** Lets time pass as the daemon's loop would: timers run when they are due. */
    void passSeconds(long seconds) {
        long end = clock.nowNs() + seconds * 1_000_000_000L;
        for (long next = engine.nextDeadlineNs(); next <= end; next = engine.nextDeadlineNs()) {
            clock.advanceNs(Math.max(0, next - clock.nowNs()));
            engine.runTimers();
        }
        clock.advanceNs(end - clock.nowNs());
        engine.runTimers();
    }

    static <T> List<T> all(Dump<T> dump) {
        List<T> all = new ArrayList<>();
        for (T entry = dump.next(); entry != null; entry = dump.next()) {
            all.add(entry);
        }
        return all;
    }

    List<Integer> spis() {
        return all(engine.states(state -> true)).stream()
                .map(state -> state.id().spi())
                .toList();
    }

    void heard(String... lines) {
        assertEquals(List.of(lines), keyManager.take());
    }

    /** The request is refused with that errno, and nobody heard of it. */
    void refused(Errno errno, Executable request) {
        keyManager.take();
        List<Integer> before = spis();
        assertEquals(errno, assertThrows(XfrmException.class, request).errno());
        heard();
        assertEquals(before, spis());
    }
}
