package org.xfrmbridge.it.packaging;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;

/**
 * Why: a method that the cache knows, but not as compiled for speed, a JVM that starts from it leaves slow for 50,000
 * calls, which is worse than no cache; and nothing else would show it. Topology: that of {@code packaging/train-cache}.
 * Steps: ask the JVM what the cache of these scenarios has of each method. Expected: of both attachments, and of both
 * ways to carry ESP, what each packet meets has been compiled for speed.
 */
@Requires({Requirement.ROOT, Requirement.TUN, Requirement.BRIDGE})
class TrainedCacheScenario {
    private static final Path HOME = BridgeProcess.program().getParent();
    private static final Duration LIMIT = Duration.ofMinutes(8);

    private static final List<String> MET_BY_EACH_PACKET = List.of(
            "org/xfrmbridge/datapath/PacketPath.guard",
            "org/xfrmbridge/datapath/OutboundPath.apply",
            "org/xfrmbridge/datapath/InboundPath.receive",
            "org/xfrmbridge/datapath/InboundPath.demultiplexUdp",
            "org/xfrmbridge/esp/EspTransform.seal",
            "org/xfrmbridge/esp/EspTransform.open",
            "com/sun/crypto/provider/GaloisCounterMode.implGCMCrypt",
            "org/xfrmbridge/offload/Segmentation.cut",
            "org/xfrmbridge/offload/Coalescing.run",
            "org/xfrmbridge/daemon/port/StackTapPort.receive",
            "org/xfrmbridge/daemon/port/IpSocketInput.frame",
            "org/xfrmbridge/daemon/port/IpSocketOutput.sendRun",
            "org/xfrmbridge/daemon/port/TapInput.read",
            "org/xfrmbridge/daemon/port/RingInput.take",
            "org/xfrmbridge/daemon/port/LinkOutput.sendRun");

    /** "LM" and a number that has a bit for each level at which the method was compiled, from 0 to 4. */
    private static final Pattern METHOD = Pattern.compile("^ *\\d+: 0x\\w+ M ([^ (]+)\\S* LM(\\d+) ");

    private static final int FOR_SPEED = 1 << 4;

    @Test
    void shouldKnowWhatEachPacketMeetsAsCompiledForSpeed() {
        Set<String> compiled = methods()
                .lines()
                .map(METHOD::matcher)
                .filter(method -> method.find() && (Integer.parseInt(method.group(2)) & FOR_SPEED) != 0)
                .map(method -> method.group(1).replace("[L]", ""))
                .collect(Collectors.toSet());
        assertEquals(
                List.of(),
                MET_BY_EACH_PACKET.stream()
                        .filter(name -> !compiled.contains(name))
                        .toList());
    }

    /** What the JVM says it has. */
    private static String methods() {
        Command.of(HOME.resolve("packaging/make-cache").toString())
                .within(LIMIT)
                .run();
        Path cache = HOME.resolve("bridge-daemon/target/xfrm-bridge.aot");
        String options = "-XX:AOTCache=" + cache + " -XX:+UnlockDiagnosticVMOptions -XX:+AOTPrintTrainingInfo";
        return Command.of(BridgeProcess.program().toString(), "--version")
                .with("XFRM_BRIDGE_JAVA_OPTIONS", options)
                .within(LIMIT)
                .run();
    }
}
