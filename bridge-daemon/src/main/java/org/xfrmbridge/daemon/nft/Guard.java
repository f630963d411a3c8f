package org.xfrmbridge.daemon.nft;

import java.io.IOException;
import java.nio.file.Path;
import org.xfrmbridge.daemon.os.NetlinkSocket;

/**
 * The process that holds the socket to which the tables belong, so that they outlive the bridge and others' {@code nft
 * flush ruleset}. Control thread.
 */
public final class Guard implements AutoCloseable {
    /** The guard of that directory; one is started if none answers. */
    public static Guard open(Path directory) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** To which the tables belong. */
    public NetlinkSocket socket() {
        return null;
    }

    /** Every few seconds: starts another one if it has died. */
    public void keep() throws IOException {}

    /** After the tables were removed: ends the guard. */
    public void end() {}

    /** The guard stays. */
    @Override
    public void close() {}
}
