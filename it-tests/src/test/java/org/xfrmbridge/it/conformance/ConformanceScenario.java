package org.xfrmbridge.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.it.harness.Requirement;
import org.xfrmbridge.it.harness.Requires;

/**
 * Why: no client may be able to tell the bridge from a kernel. Topology: one kernel, and the bridge's sessions in this
 * process. Steps: sequences of requests from a seed, the same bytes to both. Expected: the same bytes back, but for
 * volatile fields and known differences.
 */
class ConformanceScenario {
    private static final long SEED = Long.getLong("conformance.seed", 2);

    /** 1 as part of the build; 10 is the long run of docs/conformance.md. */
    private static final int TIMES = Integer.getInteger("conformance.times", 1);

    @Test
    @Requires({Requirement.ROOT, Requirement.HOST_6_18})
    void shouldAnswerAsTheHostKernel() throws IOException {
        compare(KernelKind.HOST, Protocol.NETLINK, 2000);
    }

    @Test
    @Requires({Requirement.ROOT, Requirement.UML_6_1})
    void shouldAnswerAsUserModeLinux() throws IOException {
        compare(KernelKind.LINUX_6_1, Protocol.NETLINK, 500);
    }

    @Test
    @Requires(Requirement.QEMU)
    void shouldAnswerAsAKernelUnderQemu() throws IOException {
        compare(KernelKind.LINUX_6_12, Protocol.NETLINK, 500);
    }

    @Test
    @Requires({Requirement.ROOT, Requirement.UML_6_1})
    void shouldAnswerThroughPfkeyAsUserModeLinux() throws IOException {
        compare(KernelKind.LINUX_6_1, Protocol.PF_KEY, 500);
    }

    @Test
    @Requires(Requirement.QEMU)
    void shouldAnswerThroughPfkeyAsAKernelUnderQemu() throws IOException {
        compare(KernelKind.LINUX_6_12, Protocol.PF_KEY, 500);
    }

    private static void compare(KernelKind kernel, Protocol protocol, int count) throws IOException {
        Comparison comparison = new Comparison(kernel)
                .compare(KernelReplay.record(kernel, ConformanceRun.sequences(kernel, protocol, TIMES * count, SEED)));
        System.out.print(comparison.summary());
        assertEquals(0, comparison.unexplained(), () -> "seed " + SEED + ", " + comparison.report());
    }
}
