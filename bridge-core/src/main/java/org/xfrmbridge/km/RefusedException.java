package org.xfrmbridge.km;

import java.io.IOException;
import java.util.Arrays;

/**
 * What a client gets when its request is refused: the errno, and the reason in words where the other side gave one
 * (extended ACK).
 */
public final class RefusedException extends IOException {
    private static final long serialVersionUID = 1L;

    private final int errno;
    private final String explanation;

    /**
     * @param request that was refused, as in {@code XFRM_MSG_NEWSA}
     * @param errno a number, as the system has it
     * @param explanation of the other side, or null
     */
    public RefusedException(String request, int errno, String explanation) {
        super(request + ": " + name(errno) + (explanation == null ? "" : ": " + explanation));
        this.errno = errno;
        this.explanation = explanation;
    }

    private static String name(int errno) {
        return Arrays.stream(Errno.values())
                .filter(known -> known.number() == errno)
                .map(Errno::name)
                .findAny()
                .orElse("errno " + errno);
    }

    public int errno() {
        return errno;
    }

    /** Whether it is this one. */
    public boolean is(Errno number) {
        return errno == number.number();
    }

    /** Null if there is none. */
    public String explanation() {
        return explanation;
    }
}
