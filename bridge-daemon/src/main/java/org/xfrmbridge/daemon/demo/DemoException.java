package org.xfrmbridge.daemon.demo;

/** Why the demo cannot go on, in one sentence for the person who started it. */
final class DemoException extends Exception {
    private static final long serialVersionUID = 1;

    DemoException(String message) {
        super(message);
    }
}
