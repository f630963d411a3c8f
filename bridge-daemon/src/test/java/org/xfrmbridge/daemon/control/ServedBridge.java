package org.xfrmbridge.daemon.control;

import com.google.common.util.concurrent.Uninterruptibles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.xfrmbridge.daemon.os.SystemClock;
import org.xfrmbridge.datapath.XfrmStats;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.db.SocketPolicies;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.km.XfrmEngine;

/**
 * The control side of a bridge in this process, with its three sockets in a directory; whoever runs the tests may
 * change anything.
 */
public final class ServedBridge implements AutoCloseable {
    private final Databases databases = new Databases();
    private final ControlPlane plane;
    private final Thread control;
    private final Thread guests;

    public ServedBridge(Path directory) throws IOException {
        SystemClock clock = new SystemClock();
        ControlLoop loop = new ControlLoop(clock);
        XfrmEngine engine =
                XfrmEngine.builder(databases, clock).wakeup(loop::wakeUp).build();
        int gid = Integer.parseInt(
                Files.readString(Path.of("/proc/self/status")).replaceAll("(?s).*\nGid:\\s+(\\d+).*", "$1"));
        plane = ControlPlane.builder(loop, clock, engine, databases.sockets())
                .listen(directory, gid, new Statistics("test", () -> "none", engine, new XfrmStats(), clock));
        control = Thread.ofPlatform().name("control").start(plane::serve);
        guests = Thread.ofPlatform().name("guests").start(plane::serveUnprivileged);
    }

    public Spd spd() {
        return databases.spd();
    }

    public SocketPolicies sockets() {
        return databases.sockets();
    }

    @Override
    public void close() {
        plane.stop();
        Uninterruptibles.joinUninterruptibly(control);
        Uninterruptibles.joinUninterruptibly(guests);
    }
}
