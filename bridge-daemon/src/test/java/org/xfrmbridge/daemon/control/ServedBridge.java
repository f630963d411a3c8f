package org.xfrmbridge.daemon.control;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import org.xfrmbridge.daemon.SystemClock;
import org.xfrmbridge.datapath.XfrmStats;
import org.xfrmbridge.db.Sad;
import org.xfrmbridge.db.SocketPolicies;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.km.XfrmEngine;

/** The control side of a bridge in this process, with its three sockets in a directory; whoever runs the tests may change anything. */
public final class ServedBridge implements AutoCloseable {
    private final Spd spd = new Spd();
    private final SocketPolicies sockets = new SocketPolicies(spd);
    private final ControlLoop loop;
    private final Thread thread;

    public ServedBridge(Path directory) throws IOException {
        SystemClock clock = new SystemClock();
        loop = new ControlLoop(clock);
        XfrmEngine engine = new XfrmEngine(new Sad(), spd, clock, new SecureRandom(), loop::wakeUp);
        int gid = Integer.parseInt(Files.readString(Path.of("/proc/self/status")).replaceAll("(?s).*\nGid:\\s+(\\d+).*", "$1"));
        new ControlPlane(engine, null, clock, loop, gid)
                .listen(directory, sockets, new Statistics("test", engine, new XfrmStats(), clock));
        thread = new Thread(loop, "control");
        thread.start();
    }

    public Spd spd() {
        return spd;
    }

    public SocketPolicies sockets() {
        return sockets;
    }

    @Override
    public void close() {
        loop.stop();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
