package org.xfrmbridge.daemon.os;

/** Something that the control thread waits on because the machine tells of changes by it. */
public interface EventSource extends AutoCloseable {
    /** Readable when there are events. */
    int fd();

    /** Reads what there is, and does what follows from it. */
    void handleEvents() throws OsException;

    @Override
    void close();
}
