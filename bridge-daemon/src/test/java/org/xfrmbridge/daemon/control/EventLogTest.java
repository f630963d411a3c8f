package org.xfrmbridge.daemon.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.daemon.figures.SampleBridge;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.State;

class EventLogTest {
    private final SampleBridge bridge = new SampleBridge();
    private final LinesOfLog written = new LinesOfLog();
    private final EventLog log = new EventLog(bridge.clock, written.logger);

    @BeforeEach
    void listen() {
        bridge.engine.listen(log);
    }

    @Test
    void shouldTellTheLifeOfAnSaByItsSpi() throws Exception {
        State state = bridge.addState(
                0xc1a2b3c4,
                3,
                spec -> spec.lifetime(
                        Lifetime.builder().softAddSeconds(10).hardAddSeconds(60).build()));
        bridge.clock.advanceSeconds(11);
        bridge.engine.runTimers();
        bridge.engine.deleteState(state.spec().key(), Origin.KERNEL);
        assertEquals(
                List.of(
                        "SA 0xc1a2b3c4 added: 192.0.2.1 -> 192.0.2.2 esp reqid 5 tunnel, rfc4106(gcm(aes))",
                        "SA 0xc1a2b3c4 reached a soft limit: 192.0.2.1 -> 192.0.2.2 esp reqid 5 tunnel",
                        "SA 0xc1a2b3c4 removed after 11 s, 3 packets, 300 bytes: "
                                + "192.0.2.1 -> 192.0.2.2 esp reqid 5 tunnel"),
                written.lines);
        assertFalse(written.lines.toString().contains(SampleBridge.KEY));
    }

    @Test
    void shouldCountWhatComesByTheThousand() throws Exception {
        for (int spi = 0x100; spi < 0x500; spi++) {
            bridge.addState(spi, 0, spec -> {});
        }
        assertEquals(50, written.lines.size());
        log.flush();
        assertEquals("and 974 more changes", written.lines.getLast());
        bridge.clock.advanceSeconds(1);
        bridge.addPolicy("10.1.0.0/16", "10.2.0.0/16", 0);
        assertTrue(written.lines.getLast().startsWith("policy added: 10.1.0.0/16 -> 10.2.0.0/16"));
    }
}
