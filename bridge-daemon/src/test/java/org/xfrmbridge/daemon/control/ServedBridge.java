package org.xfrmbridge.daemon.control;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.xfrmbridge.daemon.SystemClock;
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
    private final ControlLoop loop;
    private final ControlLoop guestLoop;
    private final Thread thread;
    private final Thread guests;

    public ServedBridge(Path directory) throws IOException {
        SystemClock clock = new SystemClock();
        loop = new ControlLoop(clock);
        XfrmEngine engine =
                XfrmEngine.builder(databases, clock).wakeup(loop::wakeUp).build();
        int gid = Integer.parseInt(
                Files.readString(Path.of("/proc/self/status")).replaceAll("(?s).*\nGid:\\s+(\\d+).*", "$1"));
        ControlPlane plane = new ControlPlane(engine, null, clock, loop, gid);
        plane.listen(directory, databases.sockets(), new Statistics("test", engine, new XfrmStats(), clock));
        guestLoop = plane.guestLoop();
        thread = new Thread(loop, "control");
        guests = new Thread(guestLoop, "guests");
        thread.start();
        guests.start();
    }

    public Spd spd() {
        return databases.spd();
    }

    public SocketPolicies sockets() {
        return databases.sockets();
    }

    @Override
    public void close() {
        loop.stop();
        guestLoop.stop();
        try {
            thread.join();
            guests.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
