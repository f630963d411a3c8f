package org.xfrmbridge.demo;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * What iperf3 does, for machines without it: one TCP stream. The receiver prints bits per second. A process on either
 * host.
 */
@Command(
        name = "probe",
        hidden = true,
        description = "Receives one TCP stream and prints its bits per second; or sends it.")
final class ProbeCommand implements Callable<Integer> {
    /** The receiver's line that says that it is ready. */
    static final String LISTENING = "listening";

    private static final int CHUNK_BYTES = 128 << 10;

    @Parameters(index = "0", paramLabel = "ADDRESS")
    private String address;

    @Parameters(index = "1", paramLabel = "PORT")
    private int port;

    @Option(names = "--send", paramLabel = "SECONDS", description = "Sends for so long.")
    private Integer seconds;

    @Override
    public Integer call() throws IOException {
        if (seconds == null) {
            receive();
        } else {
            send();
        }
        return 0;
    }

    private void receive() throws IOException {
        byte[] chunk = new byte[CHUNK_BYTES];
        try (ServerSocket server = new ServerSocket()) {
            server.bind(new InetSocketAddress(address, port));
            System.out.println(LISTENING);
            try (Socket socket = server.accept();
                    InputStream in = socket.getInputStream()) {
                long startNs = System.nanoTime();
                long bytes = 0;
                for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
                    bytes += read;
                }
                System.out.printf(
                        Locale.ROOT, "\"bits_per_second\": %.0f%n", bytes * 8e9 / (System.nanoTime() - startNs));
            }
        }
    }

    private void send() throws IOException {
        byte[] chunk = new byte[CHUNK_BYTES];
        try (Socket socket = new Socket(address, port);
                OutputStream out = socket.getOutputStream()) {
            long startNs = System.nanoTime();
            while (System.nanoTime() - startNs < seconds * 1_000_000_000L) {
                out.write(chunk);
            }
        }
    }
}
