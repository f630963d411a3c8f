package org.xfrmbridge.daemon.attach;

import java.io.IOException;

/** Why an interface cannot be taken over, in one sentence that says what to do. */
public final class AttachmentException extends IOException {
    private static final long serialVersionUID = 1L;

    public AttachmentException(String message) {
        super(message);
    }

    public AttachmentException(String message, Throwable cause) {
        super(message, cause);
    }
}
