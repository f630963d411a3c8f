package org.xfrmbridge.daemon.attach;

import java.io.IOException;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.Properties;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an attachment changed, in a file of the bridge's directory: enough to undo it without the process that did it.
 */
sealed interface AttachmentRecord permits WireRecord, StackRecord {
    Logger LOG = LoggerFactory.getLogger(AttachmentRecord.class);
    String FILE = "attachment.journal";

    /** Where it changed that. */
    NamespaceId namespaceId();

    /** What is attached to, for people. */
    String label();

    /** Appends the lines of its kind. */
    void describe(StringBuilder out);

    static Path file(Path directory) {
        return directory.resolve(FILE);
    }

    /** The record of a directory, or null if nothing is attached by it. */
    static AttachmentRecord read(Path directory) throws IOException {
        Path file = file(directory);
        if (!Files.exists(file)) {
            return null;
        }
        Properties lines = new Properties();
        try (Reader reader = Files.newBufferedReader(file)) {
            lines.load(reader);
        }
        try {
            NamespaceId namespaceId = new NamespaceId(
                    Objects.requireNonNull(lines.getProperty("boot"), "no boot"),
                    Long.parseUnsignedLong(lines.getProperty("namespace")));
            return StackRecord.isIn(lines) ? StackRecord.of(namespaceId, lines) : WireRecord.of(namespaceId, lines);
        } catch (IllegalArgumentException | NullPointerException e) {
            throw new IOException(
                    "%s is damaged (%s): undo by hand what was attached, then delete it"
                            .formatted(file, e.getMessage()),
                    e);
        }
    }

    /**
     * The same, if it is of this boot and namespace. One of another is removed: its devices are gone, and its addresses
     * may be others' now.
     */
    static AttachmentRecord readHere(Path directory) throws IOException {
        AttachmentRecord left = read(directory);
        if (left == null) {
            return null;
        }
        NamespaceId here = NamespaceId.here();
        if (left.namespaceId().equals(here)) {
            return left;
        }
        LOG.warn(
                "{} was attached {}: nothing from then is restored, {} is removed",
                left.label(),
                left.namespaceId().isOfSameBoot(here)
                        ? "in another network namespace"
                        : "before this machine was started anew",
                file(directory));
        delete(directory);
        return null;
    }

    /** The same for who undoes it: who asks in the wrong namespace must not lose the record. */
    static AttachmentRecord readToDetach(Path directory) throws IOException {
        readToLook(directory);
        return readHere(directory);
    }

    /** The same for who only asks: nothing is removed. */
    static AttachmentRecord readToLook(Path directory) throws IOException {
        AttachmentRecord left = read(directory);
        if (left == null) {
            return null;
        }
        NamespaceId here = NamespaceId.here();
        if (!left.namespaceId().isOfSameBoot(here)) {
            return null;
        }
        if (!left.namespaceId().equals(here)) {
            throw new AttachmentException(
                    "%s was attached in another network namespace: ask or detach it there, or delete %s if that is gone"
                            .formatted(left.label(), file(directory)));
        }
        return left;
    }

    /** Writes it so that a crash leaves the old one or the new one, whole. */
    default void write(Path directory) throws IOException {
        Path fresh = directory.resolve(FILE + ".new");
        try (FileChannel file = FileChannel.open(
                fresh, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            for (ByteBuffer left = ByteBuffer.wrap(toLines().getBytes(StandardCharsets.UTF_8)); left.hasRemaining(); ) {
                file.write(left);
            }
            file.force(true);
        }
        Files.move(fresh, file(directory), StandardCopyOption.ATOMIC_MOVE);
    }

    static void delete(Path directory) throws IOException {
        Files.deleteIfExists(file(directory));
    }

    private String toLines() {
        StringBuilder out = new StringBuilder("# What xfrm-bridge has attached: xfrm-bridge detach undoes it.\n");
        line(out, "boot", namespaceId().bootId());
        line(out, "namespace", Long.toUnsignedString(namespaceId().namespace()));
        describe(out);
        return out.toString();
    }

    static void line(StringBuilder out, String key, String value) {
        out.append(key).append('=').append(value).append('\n');
    }
}
