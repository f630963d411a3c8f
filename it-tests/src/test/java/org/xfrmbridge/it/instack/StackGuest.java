package org.xfrmbridge.it.instack;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.xfrmbridge.it.harness.QemuGuest;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Scene;
import org.xfrmbridge.lab.BridgeProcess;

/**
 * A guest with Linux 6.12 that sees this machine's files, whose kernel has ESP and all that a bridge in a stack needs.
 */
final class StackGuest {
    /** Of a machine without KVM, beside others. */
    static final Duration LIMIT = Duration.ofMinutes(10);

    private static final List<String> MODULES = List.of(
            "tun",
            "veth",
            "bridge",
            "nft_fwd_netdev",
            "nft_dup_netdev",
            "nft_queue",
            "nfnetlink_queue",
            "nft_compat",
            "nft_ct",
            "nft_chain_nat",
            "nft_fib_inet",
            "xt_physdev",
            "xfrm_user",
            "esp4",
            "esp6",
            "seqiv",
            "gcm",
            "ctr",
            "ghash-generic");

    private StackGuest() {}

    static List<String> modules(String... more) {
        return Stream.concat(MODULES.stream(), Stream.of(more)).toList();
    }

    /** The lines of a script after which bridges in the guest take what it has of memory and processors. */
    static String begin() {
        return """
                set -e
                export XFRM_BRIDGE_JAVA_OPTIONS='-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx96m'
                """;
    }

    /** The lines of a script after which a bridge is in the stack of that namespace. */
    static String startBridge(String namespace) {
        return """
                mkdir /run/bridge
                ip netns exec %s %s run --dir /run/bridge >/run/log 2>&1 &
                until grep -q '^ready' /run/log; do kill -0 $! || { cat /run/log; exit 1; }; sleep 1; done
                """.formatted(namespace, BridgeProcess.program());
    }

    /** The line that runs a Python program of these scenarios, which runs what needs the bridge by its arguments. */
    static String onBridge(String program) {
        return onBridge(program, "");
    }

    /** The same with an argument before those. */
    static String onBridge(String program, String argument) {
        return "%s %s %s exec --dir /run/bridge --\n".formatted(python(program), argument, BridgeProcess.program());
    }

    private static String python(String program) {
        return Requirement.PYTHON + " /run/guest-" + program;
    }

    /** A line that runs a Python program of these scenarios. */
    static String run(String program, String argument) {
        return python(program) + " " + argument + "\n";
    }

    /** Copies the programs to where the guest sees them, and returns what the script printed. */
    static String output(Scene scene, List<String> modules, String script, String... programs) {
        for (String program : programs) {
            TwoWires.program(program, scene.file("guest-" + program));
        }
        return QemuGuest.runOnHostFiles(scene, modules, begin() + script, LIMIT);
    }

    /**
     * What a program prints on the guest's own kernel, after a line that says so, and then with a bridge in the stack
     * of a namespace.
     *
     * @param argument with which it makes the hosts
     */
    static String outputOfBoth(Scene scene, List<String> modules, String program, String argument, String namespace) {
        return output(scene, modules, scriptOfBoth(program, argument, namespace), program);
    }

    /** The lines that print it. */
    static String scriptOfBoth(String program, String argument, String namespace) {
        return run(program, argument)
                + "echo kernel\n"
                + run(program, "")
                + startBridge(namespace)
                + "echo bridge\n"
                + onBridge(program);
    }

    /** What {@link #outputOfBoth} returns if both print the same lines. */
    static String twice(String lines) {
        return "kernel\n" + lines + "bridge\n" + lines.strip();
    }
}
