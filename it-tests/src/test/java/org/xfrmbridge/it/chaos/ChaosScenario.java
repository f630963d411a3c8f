package org.xfrmbridge.it.chaos;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.harness.ClearPackets;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Daemon;

/**
 * Why: what is closed has to be so in any order of accidents, and open again after them. Topology: two gateways with
 * two uplinks each and a host behind, bridges in the stack, charon on both. Steps: traffic both ways, packets in the
 * clear sent towards both, and at random: processes killed and started again, devices, routes, rules and tables of
 * nftables changed and taken away, policies by the thousand. Expected: no wire and no host sees a packet in the clear
 * that a policy protects, and pings pass again after each. {@code -Dit.chaos.seconds=600} runs longer,
 * {@code -Dit.chaos.seed=N} repeats a run.
 */
@Requires({
    Requirement.ROOT,
    Requirement.TUN,
    Requirement.BRIDGE,
    Requirement.CHARON,
    Requirement.TCPDUMP,
    Requirement.NFT,
    Requirement.DEBIAN_PYTHON
})
class ChaosScenario {
    private static final int SECONDS = Integer.getInteger("it.chaos.seconds", 20);

    @Test
    void shouldStayClosedAndOpenAgain() throws IOException {
        try (Scene scene = new Scene("chaos")) {
            Path program = scene.file("chaos.py");
            try (InputStream text = ChaosScenario.class.getResourceAsStream("chaos.py")) {
                Files.copy(text, program);
            }
            Command command = Command.of(
                    Requirement.PYTHON,
                    program.toString(),
                    "run",
                    scene.directory().toString(),
                    BridgeProcess.program().toString(),
                    "--prefix",
                    scene.uniqueName(),
                    "--seconds",
                    Integer.toString(SECONDS),
                    "--seed",
                    Long.toString(Long.getLong("it.chaos.seed", System.nanoTime() & 0x7fffffff)));
            Daemon chaos = scene.own(Daemon.start("chaos.py", scene.file("chaos.log"), command));
            String output = chaos.finish(Duration.ofSeconds(SECONDS * 3L + 400));
            System.out.print(output);
            if (!chaos.succeeded()) {
                ClearPackets.assertNone(List.of(output));
            }
        }
    }
}
