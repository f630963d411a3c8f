package org.xfrmbridge.it.strongswan;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.xfrmbridge.lab.Command;
import org.xfrmbridge.lab.Side;

/** A certificate authority and one certificate per side, made with strongSwan's {@code pki} for one scenario. */
final class Certificates {
    private final Path directory;

    Certificates(Path directory) {
        this.directory = directory;
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        pki("key-ca.pem", "pki --gen --type rsa --size 2048 --outform pem");
        pki("ca.pem", "pki --self --ca --in key-ca.pem --dn CN=authority --outform pem");
        for (Side side : Side.values()) {
            String name = side.identity();
            pki("key-" + name + ".pem", "pki --gen --type rsa --size 2048 --outform pem");
            pki(
                    name + ".pem",
                    "pki --issue --type priv --in key-" + name + ".pem --cacert ca.pem --cakey key-ca.pem --dn CN="
                            + name + " --san " + name + " --outform pem");
        }
    }

    private void pki(String output, String command) {
        Command.of("sh", "-c", "cd '" + directory + "' && " + command + " > " + output)
                .run();
    }

    /** Puts what {@code side} needs where swanctl (or the starter, with its own names) looks for it. */
    void install(Side side, Path target) {
        copy("ca.pem", target.resolve("x509ca"));
        copy(side.identity() + ".pem", target.resolve("x509"));
        copy("key-" + side.identity() + ".pem", target.resolve("private"));
    }

    private void copy(String file, Path target) {
        try {
            Files.createDirectories(target);
            Files.copy(directory.resolve(file), target.resolve(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
