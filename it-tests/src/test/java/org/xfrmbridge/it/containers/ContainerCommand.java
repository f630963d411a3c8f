package org.xfrmbridge.it.containers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import org.testcontainers.containers.Container.ExecResult;
import org.testcontainers.containers.GenericContainer;

/** Commands in a container that runs. */
final class ContainerCommand {
    private ContainerCommand() {}

    /** Returns what it printed; its exit code has to be 0. */
    static String must(GenericContainer<?> host, String... command) {
        ExecResult result = run(host, command);
        assertEquals(
                0,
                result.getExitCode(),
                () -> String.join(" ", command) + "\n" + result.getStdout() + result.getStderr() + "\n"
                        + host.getLogs());
        return result.getStdout();
    }

    /** Whatever its exit code. */
    static ExecResult run(GenericContainer<?> host, String... command) {
        try {
            return host.execInContainer(command);
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }
}
