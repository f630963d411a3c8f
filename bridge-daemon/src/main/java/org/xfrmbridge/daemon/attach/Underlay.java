package org.xfrmbridge.daemon.attach;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.xfrmbridge.daemon.nft.Guard;
import org.xfrmbridge.daemon.os.EventSource;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.status.Place;
import org.xfrmbridge.datapath.PathContext.Placement;
import org.xfrmbridge.io.PacketPort;

/**
 * What a bridge has taken from its host and stands on: the host's packets on one side, the network on the other.
 * However the process ends, nothing passes between the two until another one takes it up again, or it is undone.
 */
public interface Underlay extends AutoCloseable {
    /** Whether a bridge that died has left an attachment here, which {@link #attach} would take up or restore. */
    static boolean isLeft(Path directory) throws IOException {
        return AttachmentRecord.readHere(directory) != null;
    }

    /**
     * Attaches, or takes up again what a bridge left when it died.
     *
     * @param directory where it is recorded; the caller holds its lock
     */
    static Underlay attach(AttachmentPlan plan, Path directory) throws IOException {
        AttachmentRecord left = AttachmentRecord.readHere(directory);
        if (left == null) {
            Guard.endForgotten(directory);
        }
        // A switch over types would make a class for itself, at each start.
        if (plan instanceof WirePlan wire && (left == null || left instanceof WireRecord)) {
            return WireUnderlay.attach(wire, directory, (WireRecord) left);
        }
        if (plan instanceof StackPlan stack && (left == null || left instanceof StackRecord)) {
            return StackUnderlay.attach(stack, directory, (StackRecord) left);
        }
        throw new AttachmentException("%s is attached to %s already: %s, or \"xfrm-bridge detach\" first"
                .formatted(
                        directory,
                        left.label(),
                        plan instanceof StackPlan ? "run with --attach " + left.label() : "run without --attach"));
    }

    /**
     * Undoes what a bridge left.
     *
     * @return what is as before now, for people; null if nothing was attached
     */
    static String detach(Path directory) throws IOException {
        return switch (AttachmentRecord.readToDetach(directory)) {
            case null -> null;
            case WireRecord wire -> {
                WireUnderlay.detach(directory, wire);
                yield wire.label() + " has its addresses and routes back";
            }
            case StackRecord stack -> {
                StackUnderlay.detach(directory, stack);
                yield "nothing of the bridge is left in the host's stack";
            }
        };
    }

    /**
     * Where a bridge that ended was, and what is there of it; null for nothing. Changes nothing.
     *
     * @throws AttachmentException if that is in another network namespace
     */
    static Place left(Path directory) throws IOException {
        return switch (AttachmentRecord.readToLook(directory)) {
            case null -> null;
            case WireRecord wire -> WireUnderlay.left(directory, wire);
            case StackRecord stack -> StackUnderlay.left(directory, stack);
        };
    }

    /** How it is now, asked of the kernel. Control thread. */
    Place status() throws OsException;

    /** Where on a packet's way the datapath stands. */
    Placement placement();

    /** Where the host's stack sends and receives: one for each queue of its TAP. All take what is for the host. */
    List<PacketPort> hosts();

    /** Where all others do. */
    PacketPort network();

    /**
     * Whether packets of the host, sent by now, wait to be received at one of {@link #hosts}: they are judged before a
     * policy leaves. Control thread.
     */
    boolean isHostWaiting(int queue);

    /** The TAP by which the host's packets come here. */
    int hostIndex() throws OsException;

    /** For people: what is attached to, and by which device. */
    String label();

    /** For people: which super-frames are carried now, and where. Control thread. */
    String superFrames();

    /** For people: what becomes of packets when the bridge has ended and policies protect, and how to end that. */
    String whatStays();

    /** What tells of changes that it has to follow, by what a person calls them. Control thread. */
    default Map<String, EventSource> eventSources() {
        return Map.of();
    }

    /** Every few seconds, of one thread: closes again what others may have opened. */
    void keepClosed();

    /** Closes what this process holds; all else stays, and carries nothing. */
    void leave();

    /** Gives everything back to the host as it was, with what has changed meanwhile. */
    @Override
    void close() throws IOException;

    /**
     * After a start that failed: gives back what this process took, and leaves in place what it found.
     *
     * @param left whether there was anything to find
     */
    default void giveUp(boolean left) throws IOException {
        if (left) {
            leave();
        } else {
            close();
        }
    }
}
