package org.xfrmbridge.daemon.nft;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.os.CurrentProcess;
import org.xfrmbridge.daemon.os.Descriptor;
import org.xfrmbridge.daemon.os.DescriptorSocket;
import org.xfrmbridge.daemon.os.EventSet;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;

/**
 * The process that holds the socket to which the tables belong: neither the end of a bridge nor others' {@code nft
 * flush ruleset} takes them away. It runs {@code xfrm-bridge-guard}, which knows of nothing but one descriptor. Control
 * thread.
 */
public final class Guard implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Guard.class);
    private static final String PROGRAM = "xfrm-bridge-guard";

    private final Path directory;
    private final NetlinkSocket socket;
    private final EventSet deaths = new EventSet();
    private DescriptorSocket connection;
    private boolean released;

    private Guard(Path directory, DescriptorSocket connection, NetlinkSocket socket) throws OsException {
        this.directory = directory;
        this.connection = connection;
        this.socket = socket;
        watch();
    }

    /** The guard of that directory; one is started if none answers. */
    public static Guard open(Path directory) throws IOException {
        DescriptorSocket connection = connect(directory);
        try {
            if (connection == null) {
                connection = start(directory);
            }
            connection.ask('G', DescriptorSocket.NONE);
            Descriptor held = connection.passed();
            if (held != null) {
                return new Guard(directory, connection, NetlinkSocket.ofNetfilter(held));
            }
            Guard guard = new Guard(directory, connection, NetlinkSocket.toNetfilter());
            guard.handOver();
            return guard;
        } catch (IOException e) {
            if (connection != null) {
                connection.close();
            }
            throw e;
        }
    }

    /**
     * Ends a guard that nobody has a record of: what it holds is of a namespace that is gone but for it, and would take
     * tables that are meant for this one.
     */
    public static void endForgotten(Path directory) throws OsException {
        try (DescriptorSocket connection = connect(directory)) {
            if (connection != null) {
                connection.ask('E', DescriptorSocket.NONE);
            }
        }
    }

    /** Whether one answers for that directory: to look, and start none. */
    public static boolean isThere(Path directory) throws OsException {
        DescriptorSocket connection = connect(directory);
        if (connection == null) {
            return false;
        }
        connection.close();
        return true;
    }

    /** To which the tables belong. */
    public NetlinkSocket socket() {
        return socket;
    }

    /** Readable when the guard has died, until {@link #keep} was asked for another one. */
    public int fd() {
        return deaths.fd();
    }

    /** Another one holds the same socket if the guard has died. */
    public void keep() throws IOException {
        if (connection.isConnected()) {
            return;
        }
        connection.close();
        connection = start(directory);
        watch();
        handOver();
        LOG.warn("the process that guards nftables' tables was ended by somebody: there is another one");
    }

    /** After the tables were removed. */
    public void end() throws OsException {
        if (connection.isConnected()) {
            connection.ask('E', DescriptorSocket.NONE);
        }
        release();
    }

    /** The guard stays, and the tables with it: another one if it has died. Nothing, after {@link #end}. */
    @Override
    public void close() {
        if (released) {
            return;
        }
        try {
            keep();
        } catch (IOException e) {
            LOG.error("nobody guards nftables' tables, and who flushes them opens them: {}", e.getMessage());
        }
        release();
    }

    private void release() {
        released = true;
        connection.close();
        deaths.close();
        socket.close();
    }

    /** A closed descriptor is not watched any more. */
    private void watch() throws OsException {
        deaths.add(connection.fd(), 0, 0);
    }

    private void handOver() throws OsException {
        connection.ask('H', socket.fd());
    }

    private static Path address(Path directory) {
        return directory.toAbsolutePath().resolve("guard");
    }

    /** Null if nobody listens. */
    private static DescriptorSocket connect(Path directory) throws OsException {
        try {
            return DescriptorSocket.connect(address(directory));
        } catch (OsException e) {
            if (e.errno() == OsException.ENOENT || e.errno() == OsException.ECONNREFUSED) {
                return null;
            }
            throw e;
        }
    }

    private static DescriptorSocket start(Path directory) throws IOException {
        Process process = new ProcessBuilder(
                        CurrentProcess.programFile(PROGRAM).toString(),
                        directory.toAbsolutePath().toString())
                .redirectInput(new File("/dev/null"))
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try {
            int status = process.waitFor();
            if (status != 0) {
                throw new IOException(PROGRAM + " could not be started for " + directory + " (status " + status + ")");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while " + PROGRAM + " was being started", e);
        }
        return DescriptorSocket.connect(address(directory));
    }
}
