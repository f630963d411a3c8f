package org.xfrmbridge.daemon.os;

import java.io.IOException;
import java.nio.file.Path;

/** A bridge is there and says nothing. */
public final class SilentBridgeException extends IOException {
    private static final long serialVersionUID = 1L;

    /** @param process 0 if it is not known */
    SilentBridgeException(Path directory, int seconds, int process) {
        super(("the bridge in %s%s has not answered for %d seconds: it hangs, or was stopped. Let it go on (kill -CONT "
                        + "%s), or end it (kill -9 %s) and start it again; until then nothing passes that it protects")
                .formatted(
                        directory,
                        process == 0 ? "" : ", process " + process + ",",
                        seconds,
                        id(process),
                        id(process)));
    }

    private static String id(int process) {
        return process == 0 ? "PID" : String.valueOf(process);
    }
}
