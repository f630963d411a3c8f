package org.xfrmbridge.it.conformance;

/** Which of the two sockets a request goes through, or that nothing is sent for a while. */
enum Protocol {
    NETLINK('>'),
    PF_KEY('k'),
    PAUSE('w');

    /** The kind of a request's record in the files of {@code replay.c}. */
    final char mark;

    Protocol(char mark) {
        this.mark = mark;
    }
}
