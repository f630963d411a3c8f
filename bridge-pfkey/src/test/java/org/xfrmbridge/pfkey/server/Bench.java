package org.xfrmbridge.pfkey.server;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.km.XfrmEngine;
import org.xfrmbridge.time.ManualClock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Template;

/** An engine with sessions whose clients read everything at once. */
final class Bench {
    private static final PfkeyCaller ROOT = new PfkeyCaller(17, 0, true);

    final ManualClock clock = new ManualClock();
    final Databases databases = new Databases();
    final XfrmEngine engine =
            XfrmEngine.builder(databases, clock).random(new Random(1)).build();
    final PfkeyKeyManager keyManager = new PfkeyKeyManager();
    private final Map<String, PfkeySession> sessions = new LinkedHashMap<>();
    private final Map<String, List<byte[]>> received = new LinkedHashMap<>();

    Bench() {
        engine.register(keyManager);
    }

    PfkeySession open(String name) {
        return open(name, ROOT);
    }

    PfkeySession open(String name, PfkeyCaller client) {
        PfkeySession session = new PfkeySession(engine, keyManager, datagram -> receive(name, datagram), client);
        sessions.put(name, session);
        return session;
    }

    private boolean receive(String name, ByteBuffer datagram) {
        byte[] bytes = new byte[datagram.remaining()];
        datagram.get(bytes);
        received.computeIfAbsent(name, any -> new ArrayList<>()).add(bytes);
        return true;
    }

    void close(String name) {
        sessions.remove(name).close();
    }

    void send(String name, byte[] datagram) {
        sessions.get(name).receive(ByteBuffer.wrap(datagram.clone()));
    }

    /** What every client has received since the last call. */
    Map<String, List<byte[]>> take() {
        Map<String, List<byte[]>> taken = new LinkedHashMap<>(received);
        received.clear();
        return taken;
    }

    void passSeconds(int seconds) {
        for (int i = 0; i < seconds; i++) {
            clock.advanceSeconds(1);
            engine.runTimers();
        }
    }

    /** A UDP packet leaves, as far as control has to do with that. */
    void packet(int family, Address source, Address destination) {
        Flow flow = new Flow();
        flow.family = family;
        flow.saddrHigh = source.high();
        flow.saddrLow = source.low();
        flow.daddrHigh = destination.high();
        flow.daddrLow = destination.low();
        flow.protocol = IpProtocol.UDP;
        Policy policy = databases.spd().lookup(PolicySpec.Type.MAIN, Direction.OUT, flow);
        Template template = policy.spec().templates().getFirst();
        Address daddr = template.id().daddr().isAny(family)
                ? destination
                : template.id().daddr();
        Address saddr = template.saddr().isAny(family) ? source : template.saddr();
        engine.acquire(policy, template, flow, daddr, saddr, shown -> 0);
        engine.drainEvents();
    }
}
