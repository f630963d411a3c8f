package org.xfrmbridge.km;

/**
 * Hears of each request that a front end's clients make and how it was answered: for who counts and times them. Control
 * thread.
 */
public interface RequestListener {
    /** Counts nothing. */
    RequestListener NOBODY = new RequestListener() {
        @Override
        public long begin() {
            return 0;
        }

        @Override
        public void end(long begun, int type, int errno) {}
    };

    /** A request is about to be handled. Returns what {@link #end} wants to know of that, a time for example. */
    long begin();

    /**
     * It was handled, all but its acknowledgement.
     *
     * @param type of the message, as its front end numbers it
     * @param errno 0 if it was carried out
     */
    void end(long begun, int type, int errno);
}
