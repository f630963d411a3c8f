package org.xfrmbridge.daemon.control;

/** Something with a descriptor that the control thread waits on. Control thread only; no method waits. */
public interface Channel extends AutoCloseable {
    int fd();

    /** PollSet events to be called for. */
    int interest();

    /** One of the events came. Does a bounded amount of work: the others wait. */
    void ready();

    /** Whether it is to be waited on further; if not, the loop closes it. */
    boolean isOpen();

    @Override
    void close();
}
