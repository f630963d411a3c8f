package org.xfrmbridge.daemon.status;

import java.io.IOException;

/**
 * Something of the bridge's on the host.
 *
 * @param name what it is, for people
 * @param fault what is wrong with it; null if it is as it should be
 */
public record Part(String name, String fault) {
    /** A question to the kernel. */
    public interface Look {
        /** What is wrong; null if nothing is. */
        String fault() throws IOException;
    }

    /** Looks; what cannot be asked is a fault, too. */
    public static Part of(String name, Look look) {
        try {
            return new Part(name, look.fault());
        } catch (IOException e) {
            return new Part(name, "could not be asked for: " + e.getMessage());
        }
    }

    boolean isWhole() {
        return fault == null;
    }
}
