package org.xfrmbridge.it.guests;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Command.Result;

/**
 * Why: an ordinary user must not be able to keep root waiting, nor make the bridge grow or end. Topology: one host with
 * a bridge of 64 MB of heap. Steps: {@code bridge-bench/flood.sh}: processes of nobody flood the bridge's sockets, or
 * send packets under a policy that asks for SAs, while a client of root's adds, reads and deletes. Expected: each of
 * its requests is answered rightly, descriptors stay few, the bridge lives. How fast the answers are is printed, to be
 * judged on a quiet machine.
 */
@Tag("alone")
@Requires({Requirement.ROOT, Requirement.TUN, Requirement.BRIDGE})
class GuestFloodScenario {
    private static final String SECONDS = System.getProperty("it.guests.seconds", "4");

    /** Of a machine that is busy with other things. */
    private static final String BAR_MS = "5000";

    @ParameterizedTest
    @ValueSource(strings = {"accept", "datagrams", "send-buffer", "descriptors", "traps"})
    void shouldServeRootBesideAFlood(String kind) {
        Path program = BridgeProcess.program().resolveSibling("bridge-bench/flood.sh");
        Result result = Command.of(program.toString(), kind, "--seconds", SECONDS, "--step", "2", "--bar", BAR_MS)
                .with("BRIDGE", BridgeProcess.program().toString())
                .within(Duration.ofSeconds(120 + 2 * Long.parseLong(SECONDS)))
                .result();
        System.out.println(result.output());
        assertEquals(0, result.exitCode(), result.output());
    }
}
