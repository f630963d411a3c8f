package org.xfrmbridge.daemon.os;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import jnr.unixsocket.UnixSocketAddress;
import jnr.unixsocket.UnixSocketChannel;
import jnr.unixsocket.UnixSocketOptions;

/** Asks a running bridge through its control.sock. */
public final class ControlClient {
    /** A bridge answers within milliseconds, unless it waits for a core or collects a full heap. */
    private static final int PATIENCE_SECONDS = 5;

    private static final int PART_BYTES = 1 << 16;

    private ControlClient() {}

    /**
     * Sends one request line; returns all of the answer.
     *
     * @throws SilentBridgeException if there is a bridge which does not answer
     */
    public static String ask(Path directory, String request) throws IOException {
        Path socket = BridgeSocket.CONTROL.reachableIn(directory);
        try (UnixSocketChannel channel = UnixSocketChannel.open()) {
            channel.setOption(UnixSocketOptions.SO_SNDTIMEO, PATIENCE_SECONDS * 1000);
            channel.setOption(UnixSocketOptions.SO_RCVTIMEO, PATIENCE_SECONDS * 1000);
            // Where the queue of connections is full, this waits, too.
            if (!channel.connect(new UnixSocketAddress(socket.toFile()))) {
                throw new SilentBridgeException(directory, PATIENCE_SECONDS, 0);
            }
            channel.write(ByteBuffer.wrap((request + '\n').getBytes(StandardCharsets.UTF_8)));
            return read(channel, directory);
        }
    }

    private static String read(UnixSocketChannel channel, Path directory) throws IOException {
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        ByteBuffer part = ByteBuffer.allocate(PART_BYTES);
        for (int bytes = channel.read(part); bytes >= 0; bytes = channel.read(part)) {
            if (bytes == 0) {
                int process = channel.getOption(UnixSocketOptions.SO_PEERCRED).getPid();
                throw new SilentBridgeException(directory, PATIENCE_SECONDS, process);
            }
            answer.write(part.array(), 0, bytes);
            part.clear();
        }
        return answer.toString(StandardCharsets.UTF_8);
    }
}
