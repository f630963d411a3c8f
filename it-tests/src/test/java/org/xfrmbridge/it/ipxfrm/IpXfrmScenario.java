package org.xfrmbridge.it.ipxfrm;

import java.util.Locale;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;
import org.xfrmbridge.it.harness.Scene;

/**
 * Why: people and scripts read what {@code ip xfrm} prints, so the bridge must print what a kernel prints. Topology:
 * one host. Steps: the commands of a list, one by one, some beside {@code ip xfrm monitor}; on a kernel, and on a
 * bridge. Expected: the same lines and exit codes, but for times, SPIs left to choice, and the wording of explanations.
 */
@Requires(Requirement.ROOT)
class IpXfrmScenario {
    @ParameterizedTest
    @ValueSource(strings = {"policy", "monitor-policy", "larval"})
    @Requires(Requirement.XFRM_USER)
    void shouldStillBeTrueOfHostKernelWhenItNeedsNoEsp(String name) {
        checkRecord(name, Oracle.HOST_KERNEL);
    }

    @ParameterizedTest
    @ValueSource(strings = {"state", "monitor-state"})
    @Requires(Requirement.UML_6_1)
    void shouldStillBeTrueOfKernelWithEspWhenStatesAreListed(String name) {
        checkRecord(name, Oracle.UML);
    }

    @ParameterizedTest
    @CsvSource({
        "policy, BRIDGE_IN_STACK",
        "monitor-policy, BRIDGE_ON_WIRE",
        "larval, BRIDGE_IN_STACK",
        "larval, BRIDGE_ON_WIRE",
        "state, BRIDGE_ON_WIRE",
        "monitor-state, BRIDGE_IN_STACK"
    })
    @Requires({Requirement.TUN, Requirement.BRIDGE})
    void shouldPrintWhatKernelPrintsWhenCommandsRunOnBridge(String name, Oracle bridge) {
        compare(Transcript.recorded(name), run(name, bridge));
    }

    /** A guest to boot, with this machine's files, takes a minute: in nightly runs. */
    @Test
    @Tag("debian-13")
    @EnabledIfSystemProperty(named = "guest.directions", matches = "true")
    @Requires({Requirement.IP_WITH_DIRECTIONS, Requirement.QEMU_FILES})
    void shouldStillBeTrueOfLinux612WhenStatesHaveDirections() {
        checkRecord("monitor-direction", Oracle.LINUX_6_12);
    }

    @Test
    @Tag("debian-13")
    @Requires({Requirement.IP_WITH_DIRECTIONS, Requirement.TUN, Requirement.BRIDGE})
    void shouldPrintWhatLinux612PrintsWhenStatesHaveDirections() {
        compare(Transcript.recorded("monitor-direction"), run("monitor-direction", Oracle.BRIDGE_IN_STACK));
    }

    private static void checkRecord(String name, Oracle kernel) {
        Transcript transcript = run(name, kernel);
        if (System.getProperty("it.record") != null) {
            transcript.record(name);
        } else {
            compare(Transcript.recorded(name), transcript);
        }
    }

    private static Transcript run(String name, Oracle oracle) {
        try (Scene scene = new Scene("ip-xfrm-" + name + "-" + oracle.name().toLowerCase(Locale.ROOT))) {
            String script = name.startsWith("monitor")
                    ? Transcript.monitoredScript(name, oracle.directory(scene))
                    : Transcript.script(name);
            return Transcript.of(oracle.run(scene, script));
        }
    }

    /** Reports every block of a command that differs, not just the first line. */
    private static void compare(Transcript expected, Transcript actual) {
        String differences = Differences.between(expected.lines(), actual.lines());
        if (!differences.isEmpty()) {
            throw new AssertionError(differences);
        }
    }
}
