package org.xfrmbridge.it.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The bridge answers what real kernels answered when they were recorded, so that the comparison runs on any machine.
 */
class RecordedConformanceTest {
    @ParameterizedTest
    @EnumSource
    void shouldAnswerAsTheKernelDid(KernelKind kernel) throws IOException {
        compare(kernel, Protocol.NETLINK);
    }

    @ParameterizedTest
    @EnumSource(names = {"LINUX_6_1", "LINUX_6_12"})
    void shouldAnswerThroughPfkeyAsTheKernelDid(KernelKind kernel) throws IOException {
        compare(kernel, Protocol.PF_KEY);
    }

    @ParameterizedTest
    @EnumSource(names = {"LINUX_6_1", "LINUX_6_12"})
    void shouldAnswerRealClientsOfPfkeyAsTheKernelDid(KernelKind kernel) throws IOException {
        judge(RecordedRun.compare(kernel, "-pfkey-clients"));
    }

    private static void compare(KernelKind kernel, Protocol protocol) throws IOException {
        judge(RecordedRun.compare(kernel, protocol));
    }

    private static void judge(Comparison comparison) {
        System.out.print(comparison.summary());
        assertEquals(0, comparison.unexplained(), comparison::report);
    }
}
