package org.xfrmbridge.daemon.os;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import jnr.unixsocket.UnixSocketAddress;
import jnr.unixsocket.UnixSocketChannel;

/** Asks a running bridge through its control.sock. */
public final class ControlClient {
    private ControlClient() {}

    /** Sends one request line; returns all of the answer. */
    public static String ask(Path directory, String request) throws IOException {
        Path socket = BridgeSocket.CONTROL.reachableIn(directory);
        try (UnixSocketChannel channel = UnixSocketChannel.open(new UnixSocketAddress(socket.toFile()))) {
            channel.write(ByteBuffer.wrap((request + '\n').getBytes(StandardCharsets.UTF_8)));
            return new String(Channels.newInputStream(channel).readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
