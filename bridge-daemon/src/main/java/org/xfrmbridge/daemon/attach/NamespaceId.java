package org.xfrmbridge.daemon.attach;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.xfrmbridge.daemon.route.RouteSocket;

/**
 * What an attachment is in, and gone with: one boot of a kernel, and one of its network namespaces. A directory may
 * outlive both.
 *
 * @param bootId from random(4); empty where there is no such file
 * @param namespace its cookie, which no other has until the next boot; 0 before Linux 5.14
 */
public record NamespaceId(String bootId, long namespace) {
    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");

    /** Where the calling thread is. */
    public static NamespaceId here() throws IOException {
        try (RouteSocket socket = new RouteSocket()) {
            return new NamespaceId(readBootId(), socket.namespaceCookie());
        }
    }

    boolean isOfSameBoot(NamespaceId other) {
        return bootId.equals(other.bootId);
    }

    private static String readBootId() throws IOException {
        try {
            return Files.readString(BOOT_ID).strip();
        } catch (NoSuchFileException e) {
            return "";
        }
    }
}
