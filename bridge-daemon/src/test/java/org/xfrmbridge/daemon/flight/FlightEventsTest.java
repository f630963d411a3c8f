package org.xfrmbridge.daemon.flight;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xfrmbridge.daemon.figures.SampleBridge;
import org.xfrmbridge.km.ChangeListener.Acquire;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.StateKey;

class FlightEventsTest {
    @TempDir
    private Path directory;

    private Path file;

    private interface Work {
        void run() throws Exception;
    }

    private List<RecordedEvent> record(Work work) throws Exception {
        file = directory.resolve("bridge.jfr");
        try (Recording recording = new Recording()) {
            recording.start();
            work.run();
            recording.stop();
            recording.dump(file);
        }
        return RecordingFile.readAllEvents(file).stream()
                .filter(event -> event.getEventType().getName().startsWith("xfrmbridge."))
                .toList();
    }

    private static RecordedEvent only(List<RecordedEvent> events, String name) {
        List<RecordedEvent> found = events.stream()
                .filter(event -> event.getEventType().getName().equals("xfrmbridge." + name))
                .toList();
        assertEquals(1, found.size(), events.toString());
        return found.getFirst();
    }

    /** As somebody has it who types the commands of docs/watching.md. */
    @Test
    void shouldBePrintedByTheToolOfTheJdk() throws Exception {
        SampleBridge bridge = new SampleBridge();
        bridge.engine.listen(new FlightEvents(bridge.stats, bridge.clock));
        record(() -> bridge.addState(0x123, 0, spec -> {}));
        Process jfr = new ProcessBuilder(
                        System.getProperty("java.home") + "/bin/jfr",
                        "print",
                        "--events",
                        "xfrmbridge.*",
                        file.toString())
                .redirectErrorStream(true)
                .start();
        String printed = new String(jfr.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(printed.contains("xfrmbridge.SaChange {"), printed);
        assertTrue(printed.contains("spi = \"0x00000123\""), printed);
        assertFalse(printed.contains(SampleBridge.KEY), printed);
    }

    @Test
    void shouldTellTheLifeOfAnSa() throws Exception {
        SampleBridge bridge = new SampleBridge();
        bridge.engine.listen(new FlightEvents(bridge.stats, bridge.clock));
        List<RecordedEvent> events = record(() -> {
            var state = bridge.addState(
                    0x100,
                    3,
                    spec -> spec.lifetime(Lifetime.builder()
                            .softAddSeconds(10)
                            .hardAddSeconds(60)
                            .build()));
            bridge.clock.advanceSeconds(11);
            bridge.engine.runTimers();
            StateKey key = state.spec().key();
            bridge.engine.deleteState(key, Origin.KERNEL);
        });
        assertEquals(
                List.of("added", "removed"),
                events.stream()
                        .filter(event -> event.getEventType().getName().equals("xfrmbridge.SaChange"))
                        .map(event -> event.getString("change"))
                        .toList());
        RecordedEvent expired = only(events, "SaExpired");
        assertFalse(expired.getBoolean("hard"));
        assertEquals("0x00000100", expired.getString("spi"));
        assertEquals(300, expired.getLong("bytes"));
    }

    @Test
    void shouldTellPoliciesAndHowLongAnAcquireWaits() throws Exception {
        SampleBridge bridge = new SampleBridge();
        FlightEvents flight = new FlightEvents(bridge.stats, bridge.clock);
        bridge.engine.listen(flight);
        List<RecordedEvent> events = record(() -> {
            var policy = bridge.addPolicy("10.1.0.0/16", "10.2.0.0/16", 0);
            var larval = bridge.addState(0x1, 0, spec -> {});
            flight.acquireSent(new Acquire(larval, null, policy, null));
            bridge.clock.advanceNs(50_000_000);
            bridge.addState(0x2, 0, spec -> {});
        });
        assertEquals("10.1.0.0/16 -> 10.2.0.0/16", only(events, "PolicyChange").getString("selector"));
        assertEquals(5, only(events, "Acquire").getLong("reqid"));
        RecordedEvent answer = only(events, "AcquireAnswer");
        assertEquals(Duration.ofMillis(50), answer.getDuration("waited"));
        assertEquals("0x00000002", answer.getString("spi"));
    }

    @Test
    void shouldTellBatchesThatTakeTheirTimeOnly() throws Exception {
        List<RecordedEvent> events = record(() -> {
            FlightEvents.recorded("out", () -> 5).getAsInt();
            FlightEvents.recorded("out", () -> 0).getAsInt();
            FlightEvents.recorded("in", () -> {
                        long endNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(20);
                        while (System.nanoTime() < endNs) {
                            Thread.onSpinWait();
                        }
                        return 7;
                    })
                    .getAsInt();
        });
        RecordedEvent batch = events.stream()
                .filter(event -> event.getInt("frames") == 7)
                .findFirst()
                .orElseThrow();
        assertEquals("in", batch.getString("direction"));
        assertTrue(batch.getDuration().toMillis() >= 20, batch.toString());
    }
}
