package org.xfrmbridge.daemon.os;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.BufferedReader;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.daemon.TestNetwork;

/** The other end is Python's socket module: the JDK has no unix sockets for datagrams. */
class NotifySocketTest {
    private static final String LISTENER = """
            import socket, sys
            name = sys.argv[1]
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            listener.bind("\\0" + name[1:] if name[0] == "@" else name)
            print("bound", flush=True)
            for count in range(2):
                print(listener.recv(4096), flush=True)
            """;

    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"/notify", "@"})
    void shouldSayEachStateInADatagram(String kind) throws Exception {
        TestNetwork.need("python3");
        String address = kind.equals("@")
                ? "@xfrm-bridge-test-" + ProcessHandle.current().pid()
                : directory + kind;
        Process listener = new ProcessBuilder("python3", "-c", LISTENER, address).start();
        try (BufferedReader heard = listener.inputReader()) {
            assertEquals("bound", heard.readLine());
            try (NotifySocket socket = NotifySocket.of(address)) {
                socket.send("READY=1\nSTATUS=in the stack");
                socket.offer("WATCHDOG=1");
            }
            assertEquals("b'READY=1\\nSTATUS=in the stack'", heard.readLine());
            assertEquals("b'WATCHDOG=1'", heard.readLine());
        } finally {
            listener.destroyForcibly().waitFor();
        }
    }

    @Test
    void shouldDoWithoutWhenNobodyListens() {
        for (String address :
                new String[] {null, "", directory.resolve("absent").toString()}) {
            assertDoesNotThrow(() -> {
                try (NotifySocket socket = NotifySocket.of(address)) {
                    socket.send("READY=1");
                }
            });
        }
    }
}
