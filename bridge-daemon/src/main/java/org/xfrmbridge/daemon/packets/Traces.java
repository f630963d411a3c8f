package org.xfrmbridge.daemon.packets;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.xfrmbridge.datapath.PacketLog;
import org.xfrmbridge.datapath.PacketRecord;
import org.xfrmbridge.datapath.PacketWatch;
import org.xfrmbridge.explain.PacketReport;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.State;

/**
 * Clients that watch packets. Each asks again and again for what has come; one that does not for ten seconds is gone.
 * Control thread only.
 */
final class Traces {
    /** So many wait until the client asks for them; more are lost. */
    static final int MOST_WAITING = 4096;

    /** So many are said at once: others want the control thread, too. */
    static final int MOST_AT_ONCE = 32;

    /** Frames take memory: fewer of them wait. */
    static final int MOST_FRAMES_WAITING = 512;

    private static final int MOST_FRAME_BYTES_AT_ONCE = 1 << 18;

    private static final int MOST_CLIENTS = 8;
    private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(10);

    private final PacketLog log;
    private final Clock clock;
    private final Map<Integer, Trace> traces = new HashMap<>();
    private int lastId;

    /** A client. */
    private static final class Trace {
        final PacketWatch watch;
        /** SAs whose keys the client has; not held for that. */
        final Set<State> known = Collections.newSetFromMap(new WeakHashMap<>());

        long askedNs;

        Trace(PacketWatch watch, long nowNs) {
            this.watch = watch;
            askedNs = nowNs;
        }

        /** Of one that is dead the keys are gone. */
        void addKeys(State state, Set<String> keys) {
            String line = state.phase() == State.Phase.DEAD || !known.add(state) ? null : WiresharkKeys.line(state);
            if (line != null) {
                keys.add(line);
            }
        }
    }

    Traces(PacketLog log, Clock clock) {
        this.log = log;
        this.clock = clock;
    }

    /**
     * @return what the client is to ask by
     * @throws IllegalArgumentException with a sentence if it is too much, or the filter is none
     */
    int open(PacketWatch.Scope scope, List<String> filter) {
        endForgotten();
        int most = scope == PacketWatch.Scope.ALL_WITH_FRAMES ? MOST_FRAMES_WAITING : MOST_WAITING;
        PacketWatch watch = new PacketWatch(scope, PacketFilter.parse(filter), most);
        if (traces.size() == MOST_CLIENTS) {
            throw new IllegalArgumentException("%d traces run already: end one first".formatted(MOST_CLIENTS));
        }
        traces.put(++lastId, new Trace(watch, clock.nowNs()));
        log.add(watch);
        return lastId;
    }

    /** @throws IllegalArgumentException with a sentence if there is none of that number */
    TraceBatch next(int id, Function<PacketRecord, PacketReport> explain) {
        Trace trace = trace(id);
        List<PacketReport> packets = new ArrayList<>();
        while (packets.size() < MOST_AT_ONCE) {
            PacketRecord packet = trace.watch.poll();
            if (packet == null) {
                break;
            }
            packets.add(explain.apply(packet));
        }
        return new TraceBatch(packets, trace.watch.takeLost());
    }

    private Trace trace(int id) {
        Trace trace = traces.get(id);
        if (trace == null) {
            throw new IllegalArgumentException("the trace has ended: nothing was asked of it for ten seconds");
        }
        trace.askedNs = clock.nowNs();
        return trace;
    }

    /**
     * What a capture has seen.
     *
     * @param withKeys whether lines of Wireshark's keys go with it, for SAs that it has not had
     * @param say makes a packet of a record
     */
    CaptureBatch nextFrames(int id, boolean withKeys, Function<PacketRecord, CaptureBatch.Captured> say) {
        Trace trace = trace(id);
        List<CaptureBatch.Captured> packets = new ArrayList<>();
        Set<String> keys = new LinkedHashSet<>();
        int bytes = 0;
        while (bytes < MOST_FRAME_BYTES_AT_ONCE) {
            PacketRecord packet = trace.watch.poll();
            if (packet == null) {
                break;
            }
            packets.add(say.apply(packet));
            bytes += packet.bytes() + (packet.before() == null ? 0 : 2 * packet.before().length) + 512;
            if (withKeys) {
                packet.passages().forEach(passage -> trace.addKeys(passage.state(), keys));
            }
        }
        return new CaptureBatch(packets, trace.watch.takeLost(), List.copyOf(keys));
    }

    void close(int id) {
        Trace trace = traces.remove(id);
        if (trace != null) {
            log.remove(trace.watch);
        }
    }

    /** Every few seconds. */
    void endForgotten() {
        long nowNs = clock.nowNs();
        List.copyOf(traces.keySet()).forEach(id -> {
            if (nowNs - traces.get(id).askedNs > PATIENCE_NS) {
                close(id);
            }
        });
    }
}
