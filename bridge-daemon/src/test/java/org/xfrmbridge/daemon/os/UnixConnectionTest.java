package org.xfrmbridge.daemon.os;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UnixConnectionTest {
    private static final List<String> IN_USER_NAMESPACE = List.of("unshare", "--user", "--map-root-user");

    @TempDir
    private Path directory;

    /** What runs there: exit status 0 if a connection gets a buffer of a megabyte, or what is allowed. */
    public static void main(String[] arguments) throws IOException {
        Path path = Path.of(arguments[0]);
        try (UnixServer server = UnixServer.listen(path, UnixServer.Type.SEQPACKET, UnixServer.FOR_ALL);
                ClientSocket client = ClientSocket.unix(path);
                UnixConnection connection = server.accept()) {
            connection.setSendBuffer(1 << 20);
            assertEquals(0, connection.unreadBytes());
            client.awaitTaken();
        }
    }

    private static int run(List<String> command) throws Exception {
        return new ProcessBuilder(command).inheritIO().start().waitFor();
    }

    private static List<String> join(List<String> first, String... others) {
        return Stream.concat(first.stream(), Stream.of(others)).toList();
    }

    /** Where CAP_NET_ADMIN is one of the namespace's, and does not count for SO_SNDBUFFORCE: a rootless container. */
    @Test
    void shouldServeClientsInAUserNamespace() throws Exception {
        assumeTrue(run(join(IN_USER_NAMESPACE, "true")) == 0, "needs user namespaces");
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        List<String> command = join(
                IN_USER_NAMESPACE,
                java,
                "-cp",
                System.getProperty("java.class.path"),
                UnixConnectionTest.class.getName(),
                directory.resolve("s").toString());
        assertEquals(0, run(command));
    }
}
